import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  copyOf,
  IContainerModifiedEvent,
  IFolder,
  IOrderedContainer,
  OrderedFolder,
  type RootFolder,
  traverse,
} from '../../lib/content/index.js'
import {
  aDatabaseWith,
  aMemoryPlace,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  listen,
  race,
} from '../support/content-builders.js'

afterEach(closeDatabases)

function aFolder(names = 'dbca'): OrderedFolder {
  const folder = new OrderedFolder()
  for (const name of names) folder.set(name, new Employee())
  return folder
}

const namesOf = (folder: OrderedFolder): string => [...folder.keys()].join('')
const folderIn = (root: RootFolder): OrderedFolder => root.getItem('folder') as OrderedFolder
const aStoredFolder = (names = 'dbca') =>
  aDatabaseWith((root) => void root.set('folder', aFolder(names)))

describe('Ordered folder', () => {
  test('lists items in the order in which they were added', async () => {
    const db = await aStoredFolder()
    await db.view(({ root }) => {
      const folder = folderIn(root)
      expect([namesOf(folder), folder.size]).toEqual(['dbca', 4])
      expect([...folder.values()].map((item) => item.__name__).join('')).toBe('dbca')
      expect([...folder.entries()].map(([name, item]) => folder.get(name) === item)).toEqual([
        true,
        true,
        true,
        true,
      ])
      expect([...folder].map(([name]) => name).join('')).toBe('dbca')
      expect(traverse(root, '/folder/c', Employee)).toBe(folder.get('c'))
    })
  })

  test('is declared', () => {
    const folder = new OrderedFolder()
    expect([IOrderedContainer.providedBy(folder), IFolder.providedBy(folder)]).toEqual([true, true])
  })

  test('gives ranges and pages in its order, from one name to another', async () => {
    const folder = aFolder('dbcaf')
    expect([...folder.keys({ min: 'b', max: 'a' })].join('')).toBe('bca')
    expect([...folder.keys({ min: 'b', excludeMin: true, limit: 2 })].join('')).toBe('ca')
    expect([...folder.keys({ reverse: true, max: 'c' })].join('')).toBe('cbd')
    expect(codeOfThrown(() => folder.keys({ min: 'x' }))).toBe('CONTENT_LOCATION')
    const pages: string[] = []
    for await (const page of folder.pages({ size: 2 }))
      pages.push(page.map(([name]) => name).join(''))
    expect(pages).toEqual(['db', 'ca', 'f'])
  })

  test('lists names without loading an item', async () => {
    const db = await aDatabaseWith((root) => {
      const folder = root.set('folder', new OrderedFolder())
      for (let nr = 0; nr < 1000; nr++) folder.set(`e${nr}`, new Employee())
    })
    db.objects.cacheClear()
    await db.view(({ root }) => {
      const folder = folderIn(root)
      const before = db.objects.counters.loads
      expect([...folder.keys()].at(-1)).toBe('e999')
      // The tree of the order, and none of the items.
      expect(db.objects.counters.loads - before).toBeLessThan(3)
    })
  })

  test('forgets the position of what is removed', () => {
    const folder = aFolder()
    folder.delete('b')
    expect(namesOf(folder)).toBe('dca')
    folder.set('b', new Employee())
    expect(namesOf(folder)).toBe('dcab')
  })

  test('has its order in a copy, too, and of its own', async () => {
    const db = await aStoredFolder()
    await db.transaction(({ root }) => {
      const copy = root.set('copy', copyOf(folderIn(root)))
      copy.moveBefore('a', 'd')
      expect([namesOf(copy), namesOf(folderIn(root))]).toEqual(['adbc', 'dbca'])
    })
  })
})

describe('updateOrder', () => {
  test('puts all items in a new order, and modifies the folder once', () =>
    inTransaction((root, db) => {
      const folder = root.set('folder', aFolder())
      const log = listen(db.registry)
      folder.updateOrder(['a', 'b', 'c', 'd'])
      expect([namesOf(folder), log]).toEqual(['abcd', ['ContainerModifiedEvent of folder']])
    }))

  test('to the same order tells nobody', () =>
    inTransaction((root, db) => {
      const folder = root.set('folder', aFolder())
      const log = listen(db.registry)
      folder.updateOrder([...folder.keys()])
      expect(log).toEqual([])
    }))

  test.each([
    ['dbca', /is an array of names, not string$/],
    [null, /not null$/],
    [new Set(['d', 'b', 'c', 'a']), /not object$/],
    [['d', 'b', 'c'], /this one has all but "a"$/],
    [['d', 'b', 'c', 'x'], /this one has "x", which is none$/],
    [['d', 'b', 'c', 'a', 'a'], /this one has one of them twice$/],
    [[], /all but "d"$/],
  ])('refuses %p', (names, why) => {
    const folder = aFolder()
    expect(codeOfThrown(() => folder.updateOrder(names as string[]))).toBe('CONTENT_INVALID_ORDER')
    expect(() => folder.updateOrder(names as string[])).toThrow(why)
    expect(namesOf(folder)).toBe('dbca')
  })
})

describe('Moving an item in its order', () => {
  test.each<[string, (folder: OrderedFolder) => void, string]>([
    ['before another', (folder) => folder.moveBefore('a', 'b'), 'dabc'],
    ['before the first', (folder) => folder.moveBefore('c', 'd'), 'cdba'],
    ['to the end', (folder) => folder.moveBefore('d', undefined), 'bcad'],
    ['behind another', (folder) => folder.moveAfter('d', 'b'), 'bdca'],
    ['behind the last', (folder) => folder.moveAfter('b', 'a'), 'dcab'],
    ['to the beginning', (folder) => folder.moveAfter('a', undefined), 'adbc'],
  ])('%s modifies the folder once', async (_, move, expected) => {
    const db = await aStoredFolder()
    await db.transaction(({ root }) => {
      const log = listen(db.registry)
      move(folderIn(root))
      expect([namesOf(folderIn(root)), log]).toEqual([
        expected,
        ['ContainerModifiedEvent of folder'],
      ])
    })
    await db.view(({ root }) => expect(namesOf(folderIn(root))).toBe(expected))
  })

  test.each<[string, (folder: OrderedFolder) => void]>([
    ['before itself', (folder) => folder.moveBefore('b', 'b')],
    ['before the one that follows', (folder) => folder.moveBefore('b', 'c')],
    ['to the end, where it is', (folder) => folder.moveBefore('a', undefined)],
    ['behind the one that precedes', (folder) => folder.moveAfter('b', 'd')],
    ['behind itself', (folder) => folder.moveAfter('b', 'b')],
    ['to the beginning, where it is', (folder) => folder.moveAfter('d', undefined)],
  ])('%s tells nobody', (_, move) =>
    inTransaction((root, db) => {
      const folder = root.set('folder', aFolder())
      const log = listen(db.registry)
      move(folder)
      expect([namesOf(folder), log]).toEqual(['dbca', []])
    }),
  )

  test('is refused when one of the names is not there', () => {
    const folder = aFolder()
    for (const move of [
      () => folder.moveBefore('x', 'a'),
      () => folder.moveBefore('a', 'x'),
      () => folder.moveAfter('x', undefined),
      () => folder.moveAfter('a', 'x'),
    ]) {
      expect(codeOfThrown(move)).toBe('CONTENT_LOCATION')
    }
    expect(namesOf(folder)).toBe('dbca')
  })
})

describe('Concurrent transactions', () => {
  const add = (names: string) => (root: RootFolder) => {
    for (const name of names) folderIn(root).set(name, new Employee())
  }

  test('that add items both keep theirs, which can be ordered afterwards', async () => {
    const db = await aStoredFolder('m')
    await race(db, add('xyz'), add('abc'))
    await db.transaction(({ root }) => {
      // Three pairs, each at one position, in the order of names.
      expect(namesOf(folderIn(root))).toBe('maxbycz')
      folderIn(root).moveBefore('m', 'x')
      expect(namesOf(folderIn(root))).toBe('amxbycz')
      folderIn(root).moveAfter('z', 'b')
      expect(namesOf(folderIn(root))).toBe('amxbzyc')
    })
    await db.view(({ root }) => expect(namesOf(folderIn(root))).toBe('amxbzyc'))
  })

  test('that move different items do not conflict', async () => {
    const db = await aStoredFolder('abcdef')
    await race(
      db,
      (root) => folderIn(root).moveBefore('f', 'a'),
      (root) => folderIn(root).moveAfter('b', 'd'),
    )
    await db.view(({ root }) => expect(namesOf(folderIn(root))).toBe('facdbe'))
  })

  test('that add while another orders anew put theirs last', async () => {
    const db = await aStoredFolder('abcd')
    await race(db, (root) => folderIn(root).updateOrder(['d', 'c', 'b', 'a']), add('x'))
    await db.view(({ root }) => expect(namesOf(folderIn(root))).toBe('dcbax'))
  })

  test('that move one item conflict', async () => {
    const db = await aStoredFolder('abcd')
    const moving = race(
      db,
      (root) => folderIn(root).moveBefore('d', 'a'),
      (root) => folderIn(root).moveBefore('d', 'b'),
    )
    await expect(moving).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' })
  })
})

describe('An order', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('set', 'delete'), name, other: name }),
    fc.record({
      do: fc.constantFrom('before', 'after'),
      name,
      other: fc.option(name, { nil: undefined }),
    }),
    fc.record({ do: fc.constant('reverse'), name, other: name }),
  )
  type Step = { readonly do: string; readonly name: string; readonly other: string | undefined }

  function take(folder: OrderedFolder, { do: what, name: one, other }: Step): void {
    const isThere = folder.has(one) && (other === undefined || folder.has(other))
    if (what === 'set' && !folder.has(one)) folder.set(one, new Employee())
    else if (what === 'delete') folder.delete(one)
    else if (what === 'reverse') folder.updateOrder([...folder.keys()].reverse())
    else if (what === 'before' && isThere) folder.moveBefore(one, other)
    else if (what === 'after' && isThere) folder.moveAfter(one, other)
  }

  function takeInModel(names: string[], { do: what, name: one, other }: Step): string[] {
    const rest = names.filter((each) => each !== one)
    const isThere = names.includes(one) && (other === undefined || names.includes(other))
    if (what === 'set') return names.includes(one) ? names : [...names, one]
    if (what === 'delete') return rest
    if (what === 'reverse') return [...names].reverse()
    if (!isThere || one === other) return names
    const at = other === undefined ? (what === 'before' ? rest.length : 0) : rest.indexOf(other)
    return rest.toSpliced(other !== undefined && what === 'after' ? at + 1 : at, 0, one)
  }

  test(`is that of an array, whatever is done, refused and undone (seed ${seed})`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(step, fc.constantFrom('commit', 'abort', 'refuse')), { maxLength: 25 }),
        async (steps) => {
          const open = aMemoryPlace()
          let db = await open()
          await db.transaction(({ root }) => void root.set('folder', new OrderedFolder()))
          let model: string[] = []
          let refuses = false
          db.registry.registerHandler(
            () => {
              if (refuses) throw new Error('refused')
            },
            { for: [IContainerModifiedEvent] },
          )
          for (const [one, end] of steps) {
            refuses = end === 'refuse'
            await db
              .transaction(({ root }) => {
                const folder = folderIn(root)
                const thrown = codeOfThrown(() => take(folder, one))
                const after = end === 'refuse' ? model : takeInModel(model, one)
                expect([...folder.keys()]).toEqual(after)
                if (end === 'refuse')
                  expect(['nothing', new Error('refused')]).toContainEqual(thrown)
                if (end === 'abort') throw new Error('aborted')
                model = after
              })
              .catch((error: Error) => {
                if (error.message !== 'aborted') throw error
              })
          }
          await db.close()
          db = await open()
          await db.view(({ root }) => {
            expect([...folderIn(root).keys()]).toEqual(model)
            expect([...folderIn(root).values()].map((item) => item.__name__)).toEqual(model)
          })
          await db.close()
        },
      ),
      { seed, numRuns: 30 },
    ))
})
