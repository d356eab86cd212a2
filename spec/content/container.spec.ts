import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  Container,
  Folder,
  IContainer,
  IFolder,
  IRoot,
  nameOf,
  parentOf,
  pathOf,
  RootFolder,
  traverse,
} from '../../lib/content/index.js'
import { field, stored } from '../../lib/persistence/index.js'
import {
  aDatabaseWith,
  aMemoryPlace,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  race,
  TreeDatabase,
} from '../support/content-builders.js'

afterEach(closeDatabases)

@stored('content-spec.Department')
class Department extends Folder<Employee> {
  @field accessor budget = 0
  @field accessor tags: string[] = []
}

describe('Container', () => {
  test('gives an item, undefined, or an error that names the item', () =>
    inTransaction((root) => {
      const bob = root.set('Bob', new Employee())
      expect([root.get('Bob'), root.getItem('Bob'), root.has('Bob')]).toEqual([bob, bob, true])
      expect([root.get('Eve'), root.has('Eve')]).toEqual([undefined, false])
      expect(codeOfThrown(() => root.getItem('Eve'))).toBe('CONTENT_LOCATION')
      expect(() => root.getItem('Eve')).toThrow(/^treehook\.RootFolder at \/ .*named "Eve"$/)
    }))

  test.each([
    '__proto__',
    'constructor',
    'toString',
    'size',
    '__tree__',
    '0',
    ' ',
    'a/b',
    '%',
    'é',
  ])('has an item under the name %p', async (name) => {
    const db = await aDatabaseWith((root) => {
      expect([root.get(name), root.has(name)]).toEqual([undefined, false])
      root.set(name, new Employee()).title = 'found'
    })
    db.objects.cacheClear()
    await db.transaction(({ root }) => {
      const item = root.getItem(name) as Employee
      expect([item.title, nameOf(item), parentOf(item)]).toEqual(['found', name, root])
      expect([...root.keys()]).toEqual([name])
      expect(traverse(root, pathOf(item))).toBe(item)
      expect(root.delete(name)).toBe(true)
      expect([root.has(name), root.size]).toEqual([false, 0])
    })
  })

  test('has no item under what is no name', () =>
    inTransaction((root) => {
      root.set('Bob', new Employee())
      for (const name of ['', '.', '..', '++etc++site', '\ud800', 7, null, undefined]) {
        expect([root.get(name as string), root.has(name as string)]).toEqual([undefined, false])
        expect(root.delete(name as string)).toBe(false)
      }
    }))

  test('lists names, items and both, in the order of names', () =>
    inTransaction((root) => {
      const [c, a, b] = ['c', 'a', 'b'].map((name) => root.set(name, new Employee()))
      expect([...root.keys()]).toEqual(['a', 'b', 'c'])
      expect([...root.values()]).toEqual([a, b, c])
      expect([...root]).toEqual([
        ['a', a],
        ['b', b],
        ['c', c],
      ])
      expect([...root.keys({ min: 'b' })]).toEqual(['b', 'c'])
      expect([...root.values({ reverse: true, excludeMax: true, max: 'c' })]).toEqual([b, a])
      expect(root.size).toBe(3)
    }))

  test('may be changed while it is listed', () =>
    inTransaction((root) => {
      for (let nr = 100; nr < 300; nr++) root.set(`e${nr}`, new Employee())
      for (const name of root.keys()) root.delete(name)
      expect([root.size, [...root.keys()]]).toEqual([0, []])
    }))

  test('lists ten thousand names without loading an item', async () => {
    const db = await aDatabaseWith((root) => {
      const folder = root.set('folder', new Folder())
      for (let nr = 0; nr < 10_000; nr++) folder.set(`e${nr}`, new Employee())
    })
    db.objects.cacheClear()
    await db.view(({ root }) => {
      const folder = traverse(root, '/folder', Folder)
      const before = db.objects.counters.loads
      expect([[...folder.keys()].length, folder.size]).toEqual([10_000, 10_000])
      expect([folder.has('e7777'), folder.has('x')]).toEqual([true, false])
      expect(db.objects.counters.loads).toBe(before)
      folder.get('e5000')
      expect(db.objects.counters.loads).toBe(before + 1)
      const [first] = folder.values()
      expect([first?.__name__, db.objects.counters.loads]).toEqual(['e0', before + 2])
    })
  })

  test('keeps fields of its own beside its items', async () => {
    const db = await aDatabaseWith((root) => {
      const department = root.set('department', new Department())
      department.budget = 7
      department.tags.push('new')
      department.set('Bob', new Employee())
    })
    db.objects.cacheClear()
    await db.transaction(({ root }) => {
      const department = traverse(root, '/department', Department)
      expect([department.budget, department.tags, [...department.keys()]]).toEqual([
        7,
        ['new'],
        ['Bob'],
      ])
    })
    await race(
      db,
      (root) => void traverse(root, '/department', Department).set('Eve', new Employee()),
      (root) => {
        traverse(root, '/department', Department).budget = 8
      },
    )
    await db.view(({ root }) => {
      const department = traverse(root, '/department', Department)
      expect([department.budget, [...department.keys()]]).toEqual([8, ['Bob', 'Eve']])
    })
  })

  test('is what it was when its transaction is aborted', async () => {
    const db = await aDatabaseWith((root) => {
      root.set('folder', new Folder()).set('Bob', new Employee())
      root.set('other', new Folder())
    })
    const changing = db.transaction(({ root }) => {
      const folder = traverse(root, '/folder', Folder)
      const bob = folder.getItem('Bob')
      folder.set('Eve', new Employee())
      traverse(root, '/other', Folder).set('Bob', bob)
      folder.delete('Bob')
      root.delete('folder')
      throw new Error('No')
    })
    await expect(changing).rejects.toThrow('No')
    await db.transaction(({ root }) => {
      const folder = traverse(root, '/folder', Folder)
      expect([...folder.keys()]).toEqual(['Bob'])
      expect(pathOf(folder.getItem('Bob'))).toBe('/folder/Bob')
      expect(traverse(root, '/other', Folder).size).toBe(0)
    })
  })

  test('refuses changes in a view', async () => {
    const db = await aDatabaseWith((root) => void root.set('Bob', new Employee()))
    await db.view(({ root }) => {
      const refused = 'PERSISTENCE_READ_ONLY_TRANSACTION'
      expect(codeOfThrown(() => root.set('Eve', new Employee()))).toBe(refused)
      expect(codeOfThrown(() => root.delete('Bob'))).toBe(refused)
    })
  })

  test('refuses an item of another database', async () => {
    const one = await aDatabaseWith((root) => void root.set('Bob', new Employee()))
    const other = await aDatabaseWith(() => {})
    const bob = await one.view(({ root }) => root.getItem('Bob') as Employee)
    const mixing = other.transaction(({ root }) => void root.set('Bob', bob))
    await expect(mixing).rejects.toMatchObject({ code: 'PERSISTENCE_OUTSIDE_TRANSACTION' })
    await other.view(({ root }) => expect(root.size).toBe(0))
  })

  test('is declared, as a folder and the root folder are', () => {
    class Plain extends Container {}
    expect(IContainer.providedBy(new Plain())).toBe(true)
    expect(IFolder.providedBy(new Plain())).toBe(false)
    expect([IFolder.providedBy(new Folder()), IRoot.providedBy(new Folder())]).toEqual([
      true,
      false,
    ])
    expect(IRoot.providedBy(new RootFolder())).toBe(true)
  })
})

describe('A tree of folders', () => {
  async function fillAndRead(open: () => Promise<TreeDatabase>): Promise<void> {
    const before = await open()
    await before.transaction(({ root }) => {
      const folder = root.set('a', new Folder()).set('b/b', new Department())
      for (let nr = 0; nr < 200; nr++) folder.set(`e${nr}`, new Employee()).title = `title ${nr}`
    })
    await before.transaction(({ root }) => {
      root.set('moved', traverse(root, '/a', Folder))
      root.delete('a')
      traverse(root, '/moved/b%2Fb', Folder).delete('e7')
    })
    await before.close()
    const db = await open()
    await db.view(({ root }) => {
      const department = traverse(root, '/moved/b%2Fb', Department)
      expect([department.size, [...department.keys()].length]).toEqual([199, 199])
      expect(traverse(root, '/moved/b%2Fb/e199', Employee).title).toBe('title 199')
      expect(pathOf(department.getItem('e199'))).toBe('/moved/b%2Fb/e199')
      expect([...root.keys()]).toEqual(['moved'])
    })
    await db.close()
  }

  test('is there again when its storage in memory is reopened', () => fillAndRead(aMemoryPlace()))

  test('is there again when its directory is reopened', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'treehook-content-'))
    try {
      await fillAndRead(() => TreeDatabase.open(directory))
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })

  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
  const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'é/%')
  const path = fc.array(name, { maxLength: 3 })
  const step = fc.record({
    do: fc.constantFrom('add', 'delete', 'move'),
    at: path,
    name,
    to: path,
    newName: name,
    commit: fc.boolean(),
  })

  test(`has every object in one place, whatever is added, moved and removed (seed ${seed})`, () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const open = aMemoryPlace()
        let db = await open()
        const model = new Model()
        for (const { commit, ...one } of steps) {
          const expected = model.take(one)
          const done = db.transaction(({ root }) => {
            const outcome = take(root, one)
            if (!commit) throw new Undone(outcome)
            return outcome
          })
          if (commit) expect(await done).toBe(expected)
          else {
            model.undo()
            await expect(done).rejects.toMatchObject({ outcome: expected })
          }
        }
        await db.close()
        db = await open()
        expect(await db.view(({ root }) => shapeOf(root))).toEqual(model.shape())
        await db.close()
      }),
      { seed, numRuns: 40 },
    ))
})

class Undone extends Error {
  readonly outcome: string
  constructor(outcome: string) {
    super('undone')
    this.outcome = outcome
  }
}

interface Step {
  readonly do: string
  readonly at: readonly string[]
  readonly name: string
  readonly to: readonly string[]
  readonly newName: string
}

function folderAt(root: Folder, path: readonly string[]): Folder | undefined {
  return path.reduce<Folder | undefined>((at, name) => at?.get(name) as Folder | undefined, root)
}

/** @returns what happened: `done`, `nothing`, or the code of the error. */
function take(root: Folder, { do: what, at, name, to, newName }: Step): string {
  const container = folderAt(root, at)
  if (container === undefined) return 'nothing'
  if (what === 'delete') return container.delete(name) ? 'done' : 'nothing'
  const target = what === 'add' ? container : folderAt(root, to)
  const item = what === 'add' ? new Folder() : container.get(name)
  if (target === undefined || item === undefined) return 'nothing'
  const code = codeOfThrown(() => target.set(what === 'add' ? name : newName, item))
  if (code !== 'nothing') return String(code)
  if (what === 'move' && (target !== container || newName !== name)) container.delete(name)
  return 'done'
}

/** Paths of everything below, each checked to be where its place says. */
function shapeOf(folder: Folder, prefix = ''): string[] {
  return [...folder].flatMap(([name, item]) => {
    expect([parentOf(item), nameOf(item)]).toEqual([folder, name])
    return [`${prefix}/${name}`, ...shapeOf(item as Folder, `${prefix}/${name}`)]
  })
}

type Node = Map<string, Node>

/** The same with maps. */
class Model {
  #root: Node = new Map()
  #before: Node = this.#root

  take({ do: what, at, name, to, newName }: Step): string {
    this.#before = structuredClone(this.#root)
    const container = this.#at(at)
    if (container === undefined) return 'nothing'
    if (what === 'delete') return container.delete(name) ? 'done' : 'nothing'
    const target = what === 'add' ? container : this.#at(to)
    const item = what === 'add' ? new Map() : container.get(name)
    if (target === undefined || item === undefined) return 'nothing'
    const finalName = what === 'add' ? name : newName
    if (target.get(finalName) === item) return 'done'
    if (target.has(finalName)) return 'CONTENT_DUPLICATE_NAME'
    if (contains(item, target)) return 'CONTENT_CYCLE'
    target.set(finalName, item)
    if (what === 'move') container.delete(name)
    return 'done'
  }

  undo(): void {
    this.#root = this.#before
  }

  shape(node = this.#root, prefix = ''): string[] {
    return [...node]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([name, child]) => [`${prefix}/${name}`, ...this.shape(child, `${prefix}/${name}`)])
  }

  #at(path: readonly string[]): Node | undefined {
    return path.reduce<Node | undefined>((at, name) => at?.get(name), this.#root)
  }
}

function contains(node: Node, wanted: Node): boolean {
  return node === wanted || [...node.values()].some((child) => contains(child, wanted))
}
