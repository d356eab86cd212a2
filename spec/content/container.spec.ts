import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
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

  test('gives its entries in pages, and loads the items of a page only', async () => {
    const db = await aDatabaseWith((root) => {
      const folder = root.set('folder', new Folder())
      for (let nr = 0; nr < 2500; nr++) folder.set(`e${10_000 + nr}`, new Employee())
    })
    db.objects.cacheClear()
    await db.view(async ({ root }) => {
      const folder = traverse(root, '/folder', Folder)
      const before = db.objects.counters.loads
      const sizes: number[] = []
      for await (const page of folder.pages({ size: 1000 })) {
        sizes.push(page.length)
        if (sizes.length === 1) expect(db.objects.counters.loads).toBe(before + 1000)
      }
      expect(sizes).toEqual([1000, 1000, 500])
      const names: string[] = []
      for await (const page of folder.pages({ size: 2, min: 'e12497', reverse: true })) {
        names.push(...page.map(([name]) => name))
      }
      expect(names).toEqual(['e12499', 'e12498', 'e12497'])
      expect(codeOfThrown(() => folder.pages({ size: 0 }))).toBe('PERSISTENCE_INVALID_RANGE')
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
    await other.transaction(({ root }) => {
      expect(codeOfThrown(() => root.set('Bob', bob))).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
      expect([root.has('Bob'), root.size]).toEqual([false, 0])
    })
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
})
