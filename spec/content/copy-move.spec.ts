import { afterEach, describe, expect, test } from '@jest/globals'
import {
  type Contained,
  copyTo,
  Folder,
  IObjectCopiedEvent,
  IObjectMovedEvent,
  moveTo,
  nameOf,
  OrderedFolder,
  parentOf,
  pathOf,
  type RootFolder,
  renameItem,
  Site,
} from '../../lib/content/index.js'
import {
  aDatabaseWith,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  listen,
  listenToPlaces,
  race,
} from '../support/content-builders.js'

afterEach(closeDatabases)

/** Folders a, with Bob, and b. */
function aTree(root: RootFolder): { a: Folder; b: Folder; bob: Employee } {
  const a = root.set('a', new Folder())
  return { a, b: root.set('b', new Folder()), bob: a.set('Bob', new Employee()) }
}

describe('moveTo', () => {
  test('tells moved, then that the target and the source were modified', () =>
    inTransaction((root, db) => {
      const { a, b, bob } = aTree(root)
      const [log, places] = [listen(db.registry), listenToPlaces(db.registry)]
      expect(moveTo(bob, b, 'Robert')).toBe(bob)
      expect(log).toEqual([
        'ObjectMovedEvent of Robert',
        'ContainerModifiedEvent of b',
        'ContainerModifiedEvent of a',
      ])
      expect(places).toEqual(['a/Bob -> b/Robert'])
      expect([pathOf(bob), a.size, b.get('Robert')]).toEqual(['/b/Robert', 0, bob])
    }))

  test('has the item in both containers while handlers hear of it', () =>
    inTransaction((root, db) => {
      const { a, b, bob } = aTree(root)
      const seen: boolean[] = []
      db.registry.registerHandler(() => void seen.push(a.has('Bob'), b.has('Bob')), {
        for: [IObjectMovedEvent],
      })
      moveTo(bob, b)
      expect(seen).toEqual([true, true])
    }))

  test('to where it is moves nothing and tells nobody', () =>
    inTransaction((root, db) => {
      const { a, bob } = aTree(root)
      const log = listen(db.registry)
      expect([moveTo(bob, a), moveTo(bob, a, 'Bob'), log]).toEqual([bob, bob, []])
    }))

  test('chooses a free name when the name is taken, and keeps one that is free', () =>
    inTransaction((root) => {
      const { a, b, bob } = aTree(root)
      b.set('Bob', new Employee())
      expect(nameOf(moveTo(bob, b))).toBe('Bob-2')
      const odd = a.set('1/2', new Employee())
      expect(nameOf(moveTo(odd, b))).toBe('1/2')
    }))

  test('refuses cycles, objects without a place and names that cannot be', () =>
    inTransaction((root) => {
      const { a, b, bob } = aTree(root)
      const inner = a.set('inner', new Folder())
      expect(codeOfThrown(() => moveTo(a, inner))).toBe('CONTENT_CYCLE')
      expect(codeOfThrown(() => moveTo(a, a))).toBe('CONTENT_CYCLE')
      expect(codeOfThrown(() => moveTo(root, b))).toBe('CONTENT_LOCATION')
      expect(codeOfThrown(() => moveTo(new Employee(), b))).toBe('CONTENT_LOCATION')
      const site = root.set('site', new Site())
      expect(codeOfThrown(() => moveTo(site.siteManager, b))).toBe('CONTENT_LOCATION')
      expect([pathOf(bob), b.size, pathOf(inner)]).toEqual(['/a/Bob', 0, '/a/inner'])
    }))

  test('takes all that is inside along, under the same oids', async () => {
    const db = await aDatabaseWith((root) => void aTree(root))
    await db.transaction(({ root }) => {
      moveTo(root.getItem('a') as Folder, root.getItem('b') as Folder, 'moved')
    })
    await db.view(({ root }) => {
      const moved = (root.getItem('b') as Folder).getItem('moved') as Folder
      expect([[...root.keys()], pathOf(moved.getItem('Bob'))]).toEqual([['b'], '/b/moved/Bob'])
    })
  })

  test('to different places in two transactions conflicts', async () => {
    const db = await aDatabaseWith((root) => void aTree(root))
    const move = (name: string) => (root: RootFolder) => {
      moveTo((root.getItem('a') as Folder).getItem('Bob'), root.getItem('b') as Folder, name)
    }
    await expect(race(db, move('one'), move('two'))).rejects.toMatchObject({
      code: 'STORAGE_CONFLICT',
    })
  })
})

describe('copyTo', () => {
  test('tells copied, when the copy has no place yet, then added, then modified', () =>
    inTransaction((root, db) => {
      const { b, bob } = aTree(root)
      const log = listen(db.registry)
      const heard: unknown[] = []
      db.registry.registerHandler(
        ({ object, original }) =>
          void heard.push(original, parentOf(object as Contained), nameOf(object as Contained)),
        { for: [IObjectCopiedEvent] },
      )
      const copy = copyTo(bob, b)
      expect(log).toEqual([
        'ObjectCopiedEvent of the root',
        'ObjectAddedEvent of Bob',
        'ContainerModifiedEvent of b',
      ])
      expect(heard).toEqual([bob, undefined, undefined])
      expect([copy === bob, pathOf(copy), pathOf(bob)]).toEqual([false, '/b/Bob', '/a/Bob'])
    }))

  test('chooses a name when it is taken, or the original has none', () =>
    inTransaction((root) => {
      const { a, b, bob } = aTree(root)
      expect(nameOf(copyTo(bob, a))).toBe('Bob-2')
      expect(nameOf(copyTo(bob, b, 'Robert'))).toBe('Robert')
      expect(nameOf(copyTo(new Employee(), b))).toBe('Employee')
    }))

  test('puts a copy of a folder into the folder itself', () =>
    inTransaction((root) => {
      const { a } = aTree(root)
      const copy = copyTo(a, a)
      expect([pathOf(copy), [...copy.keys()], [...a.keys()]]).toEqual([
        '/a/a',
        ['Bob'],
        ['Bob', 'a'],
      ])
    }))
})

describe('renameItem', () => {
  test('is a move, and modifies the folder twice', () =>
    inTransaction((root, db) => {
      const { a, bob } = aTree(root)
      const [log, places] = [listen(db.registry), listenToPlaces(db.registry)]
      expect(renameItem(a, 'Bob', 'Robert')).toBe(bob)
      expect(log).toEqual([
        'ObjectMovedEvent of Robert',
        'ContainerModifiedEvent of a',
        'ContainerModifiedEvent of a',
      ])
      expect([places, [...a.keys()]]).toEqual([['a/Bob -> a/Robert'], ['Robert']])
    }))

  test('keeps the position in an order, and tells of that as well', () =>
    inTransaction((root, db) => {
      const folder = root.set('folder', new OrderedFolder())
      for (const name of 'cba') folder.set(name, new Employee())
      const log = listen(db.registry)
      renameItem(folder, 'b', 'x')
      expect([[...folder.keys()].join(''), log.length]).toEqual(['cxa', 4])
      renameItem(folder, 'a', 'y')
      expect([[...folder.keys()].join(''), log.length]).toEqual(['cxy', 7])
    }))

  test('refuses a name that is not there, or that is taken, its own included', () =>
    inTransaction((root) => {
      const { a } = aTree(root)
      a.set('Eve', new Employee())
      expect(codeOfThrown(() => renameItem(a, 'nobody', 'x'))).toBe('CONTENT_LOCATION')
      expect(codeOfThrown(() => renameItem(a, 'Bob', 'Eve'))).toBe('CONTENT_DUPLICATE_NAME')
      expect(codeOfThrown(() => renameItem(a, 'Bob', 'Bob'))).toBe('CONTENT_DUPLICATE_NAME')
      expect(codeOfThrown(() => renameItem(a, 'Bob', '..'))).toBe('CONTENT_INVALID_NAME')
      expect([...a.keys()]).toEqual(['Bob', 'Eve'])
    }))
})
