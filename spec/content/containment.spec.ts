import { afterEach, describe, expect, test } from '@jest/globals'
import { IObjectEvent } from '../../lib/component/index.js'
import {
  type Contained,
  Folder,
  IContained,
  IContainerModifiedEvent,
  IObjectAddedEvent,
  IObjectModifiedEvent,
  IObjectMovedEvent,
  IObjectRemovedEvent,
  nameOf,
  parentOf,
  type RootFolder,
  Site,
} from '../../lib/content/index.js'
import { Persistent, stored } from '../../lib/persistence/index.js'
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

@stored('content-spec.Loose')
class Loose extends Persistent {}

function folderIn(container: Folder, name: string): Folder {
  return container.getItem(name) as Folder
}

describe('Adding an item', () => {
  test('stores it, tells that it was added, then that the container was modified', () =>
    inTransaction((root, db) => {
      const log = listen(db.registry)
      const folder = root.set('employees', new Folder())
      folder.set('Bob', new Employee())
      expect(log).toEqual([
        'ObjectAddedEvent of employees',
        'ContainerModifiedEvent of the root',
        'ObjectAddedEvent of Bob',
        'ContainerModifiedEvent of employees',
      ])
    }))

  test('has it in its place when handlers hear of it', () =>
    inTransaction((root, db) => {
      const seen: unknown[] = []
      db.registry.registerHandler(
        ({ object, newParent, newName, oldParent, oldName }) => {
          seen.push(root.get('Bob') === object, parentOf(object as Contained), newParent, newName)
          seen.push(nameOf(object as Contained), oldParent, oldName)
        },
        { for: [IObjectAddedEvent] },
      )
      root.set('Bob', new Employee())
      expect(seen).toEqual([true, root, root, 'Bob', 'Bob', undefined, undefined])
    }))

  test('gives the item back', () =>
    inTransaction((root) => {
      const bob = new Employee()
      expect(root.set('Bob', bob)).toBe(bob)
    }))

  test('again under the same name changes nothing and tells nobody', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      const log = listen(db.registry)
      expect(root.set('Bob', bob)).toBe(bob)
      expect([log, root.size]).toEqual([[], 1])
    }))

  test('tells nobody when the item has this place already', () =>
    inTransaction((root, db) => {
      const bob = new Employee()
      bob.__parent__ = root
      bob.__name__ = 'Bob'
      const log = listen(db.registry)
      root.set('Bob', bob)
      expect([log, root.get('Bob')]).toEqual([[], bob])
    }))

  test('is adding, not moving, when the item has a name and is in nothing', () =>
    inTransaction((root, db) => {
      const bob = new Employee()
      bob.__name__ = 'Bob'
      const log = listen(db.registry)
      const places = listenToPlaces(db.registry)
      root.set('Bob', bob)
      expect(log[0]).toBe('ObjectAddedEvent of Bob')
      expect(places).toEqual(['nowhere -> root/Bob'])
    }))

  test('refuses a name that another item has, and leaves both where they were', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      const log = listen(db.registry)
      const other = new Employee()
      expect(codeOfThrown(() => root.set('Bob', other))).toBe('CONTENT_DUPLICATE_NAME')
      expect([root.get('Bob'), parentOf(other), log]).toEqual([bob, undefined, []])
    }))

  test.each([
    ['', 'CONTENT_INVALID_NAME'],
    ['.', 'CONTENT_INVALID_NAME'],
    ['..', 'CONTENT_INVALID_NAME'],
    ['++x', 'CONTENT_INVALID_NAME'],
    ['@@x', 'CONTENT_INVALID_NAME'],
    ['\ud800', 'CONTENT_INVALID_NAME'],
    ['a\udfffb', 'CONTENT_INVALID_NAME'],
    [7, 'CONTENT_INVALID_NAME'],
    [null, 'CONTENT_INVALID_NAME'],
    [undefined, 'CONTENT_INVALID_NAME'],
    [Symbol('x'), 'CONTENT_INVALID_NAME'],
    [['a'], 'CONTENT_INVALID_NAME'],
  ])('refuses the name %p', (name, code) =>
    inTransaction((root) => {
      expect(codeOfThrown(() => root.set(name as string, new Employee()))).toBe(code)
      expect(root.size).toBe(0)
    }),
  )

  test.each([
    [undefined],
    [null],
    [7],
    ['text'],
    [Symbol('x')],
    [{}],
    [Object.create(null)],
    [() => 1],
    [new Map()],
    [new Loose()],
  ])('refuses %p, which is not Contained', (item) =>
    inTransaction((root) => {
      expect(codeOfThrown(() => root.set('x', item as never))).toBe('CONTENT_INVALID_ITEM')
      expect(root.has('x')).toBe(false)
    }),
  )

  test('says what it was given in place of an item', () =>
    inTransaction((root) => {
      expect(() => root.set('x', new Loose() as never)).toThrow(
        /RootFolder at \/ .* holds objects that extend Contained; "x" was given an instance of Loose/,
      )
    }))

  test('refuses an object inside itself', () =>
    inTransaction((root, db) => {
      const outer = root.set('outer', new Folder())
      const inner = outer.set('middle', new Folder()).set('inner', new Folder())
      const log = listen(db.registry)
      for (const container of [outer, folderIn(outer, 'middle'), inner]) {
        expect(codeOfThrown(() => container.set('again', outer))).toBe('CONTENT_CYCLE')
      }
      expect(codeOfThrown(() => inner.set('root', root))).toBe('CONTENT_CYCLE')
      expect([inner.size, nameOf(outer), log]).toEqual([0, 'outer', []])
    }))

  test('works before the container is in a database', () => {
    const folder = new Folder()
    const bob = folder.set('Bob', new Employee())
    expect([folder.get('Bob'), parentOf(bob), nameOf(bob)]).toEqual([bob, folder, 'Bob'])
  })
})

describe('Moving an item', () => {
  test('tells that it moved, and modifies both containers as it enters one and leaves the other', () =>
    inTransaction((root, db) => {
      const bob = root.set('a', new Folder()).set('Bob', new Employee())
      const b = root.set('b', new Folder())
      const log = listen(db.registry)
      const places = listenToPlaces(db.registry)
      b.set('Robert', bob)
      folderIn(root, 'a').delete('Bob')
      expect(log).toEqual([
        'ObjectMovedEvent of Robert',
        'ContainerModifiedEvent of b',
        'ContainerModifiedEvent of a',
      ])
      expect(places).toEqual(['a/Bob -> b/Robert'])
      expect([parentOf(bob), nameOf(bob), folderIn(root, 'a').size]).toEqual([b, 'Robert', 0])
    }))

  test('is not adding, and not removing', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      const log: object[] = []
      for (const kind of [IObjectAddedEvent, IObjectRemovedEvent]) {
        db.registry.registerHandler((event) => void log.push(event as object), { for: [kind] })
      }
      root.set('Robert', bob)
      root.delete('Bob')
      expect(log).toEqual([])
    }))

  test('has the item in both containers while handlers hear of it', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      const b = root.set('b', new Folder())
      const seen: boolean[] = []
      db.registry.registerHandler(() => void seen.push(root.has('Bob'), b.has('Bob')), {
        for: [IObjectMovedEvent],
      })
      b.set('Bob', bob)
      expect(seen).toEqual([true, true])
    }))

  test('under another name of the same folder is a rename, and modifies the folder twice', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      const log = listen(db.registry)
      const places = listenToPlaces(db.registry)
      root.set('Robert', bob)
      root.delete('Bob')
      expect(log).toEqual([
        'ObjectMovedEvent of Robert',
        'ContainerModifiedEvent of the root',
        'ContainerModifiedEvent of the root',
      ])
      expect(places).toEqual(['root/Bob -> root/Robert'])
      expect([[...root.keys()], nameOf(bob)]).toEqual([['Robert'], 'Robert'])
    }))

  test('leaves it its new place when it is deleted from the old container', async () => {
    const db = await aDatabaseWith((root) => {
      root.set('a', new Folder()).set('Bob', new Employee())
      root.set('b', new Folder())
    })
    await db.transaction(({ root }) => {
      folderIn(root, 'b').set('Bob', folderIn(root, 'a').getItem('Bob'))
    })
    await db.transaction(({ root }) => void folderIn(root, 'a').delete('Bob'))
    await db.view(({ root }) => {
      const bob = folderIn(root, 'b').getItem('Bob')
      expect([parentOf(bob), nameOf(bob)]).toEqual([root.get('b'), 'Bob'])
      expect(folderIn(root, 'a').size).toBe(0)
    })
  })

  test('of a subtree of a thousand objects keeps every one of them', async () => {
    const db = await aDatabaseWith((root) => {
      root.set('target', new Folder())
      const top = root.set('top', new Folder())
      for (let at = 0; at < 40; at++) {
        const folder = top.set(`folder ${at}`, new Folder())
        for (let nr = 0; nr < 25; nr++) folder.set(`employee ${nr}`, new Employee())
      }
    })
    await db.transaction(({ root }) => {
      const heard = new Set<unknown>()
      db.registry.registerHandler((object) => void heard.add(object), {
        for: [Employee, IObjectMovedEvent],
      })
      folderIn(root, 'target').set('moved', root.getItem('top'))
      root.delete('top')
      expect(heard.size).toBe(1000)
    })
    db.objects.cacheClear()
    await db.view(({ root }) => {
      const moved = folderIn(folderIn(root, 'target'), 'moved')
      const folders = [...moved.values()] as Folder[]
      expect([root.has('top'), folders.length]).toEqual([false, 40])
      expect(folders.flatMap((folder) => [...folder.values()])).toHaveLength(1000)
    })
  })
})

describe('Removing an item', () => {
  test('tells that it was removed, then that the container was modified', () =>
    inTransaction((root, db) => {
      root.set('Bob', new Employee())
      const log = listen(db.registry)
      const places = listenToPlaces(db.registry)
      expect(root.delete('Bob')).toBe(true)
      expect(log).toEqual(['ObjectRemovedEvent of Bob', 'ContainerModifiedEvent of the root'])
      expect(places).toEqual(['root/Bob -> nowhere'])
    }))

  test('has it out of the container, and still with its place, when handlers hear of it', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      const seen: unknown[] = []
      db.registry.registerHandler(
        () => void seen.push(root.has('Bob'), parentOf(bob), nameOf(bob)),
        { for: [IObjectRemovedEvent] },
      )
      root.delete('Bob')
      expect(seen).toEqual([false, root, 'Bob'])
      expect([parentOf(bob), nameOf(bob)]).toEqual([undefined, undefined])
    }))

  test('of a name that is not there tells nobody', () =>
    inTransaction((root, db) => {
      const log = listen(db.registry)
      expect([root.delete('nobody'), log]).toEqual([false, []])
    }))

  test('makes it new: added again, it is added, not moved', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      root.delete('Bob')
      const log = listen(db.registry)
      root.set('Bob', bob)
      expect(log).toEqual(['ObjectAddedEvent of Bob', 'ContainerModifiedEvent of the root'])
    }))

  test('leaves it the place that a handler gives it meanwhile', () =>
    inTransaction((root, db) => {
      const trash = root.set('trash', new Folder())
      const bob = root.set('Bob', new Employee())
      db.registry.registerHandler((event) => void trash.set('Bob', event.object as Contained), {
        for: [IObjectRemovedEvent],
      })
      root.delete('Bob')
      expect([parentOf(bob), nameOf(bob), root.has('Bob')]).toEqual([trash, 'Bob', false])
    }))

  test('leaves it its place when a handler puts it back', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      db.registry.registerHandler((event) => void root.set('Bob', event.object as Contained), {
        for: [IObjectRemovedEvent],
      })
      root.delete('Bob')
      expect([parentOf(bob), nameOf(bob), root.get('Bob')]).toEqual([root, 'Bob', bob])
    }))
})

describe('Events of containers', () => {
  test('come as (object, event) before the event alone', () =>
    inTransaction((root, db) => {
      const log: string[] = []
      db.registry.registerHandler(() => void log.push('event'), { for: [IObjectAddedEvent] })
      db.registry.registerHandler(() => void log.push('employee, event'), {
        for: [Employee, IObjectAddedEvent],
      })
      root.set('Bob', new Employee())
      expect(log).toEqual(['employee, event', 'event'])
    }))

  test('are kinds of one another: added is moved, container modified is modified', () =>
    inTransaction((root, db) => {
      const log: string[] = []
      const kinds = { IObjectMovedEvent, IObjectAddedEvent, IObjectModifiedEvent, IObjectEvent }
      for (const [name, kind] of Object.entries({ ...kinds, IContainerModifiedEvent })) {
        db.registry.registerHandler(() => void log.push(name), { for: [IContained, kind] })
      }
      root.set('Bob', new Employee())
      expect(log).toEqual([
        'IObjectEvent',
        'IObjectMovedEvent',
        'IObjectAddedEvent',
        'IObjectEvent',
        'IObjectModifiedEvent',
        'IContainerModifiedEvent',
      ])
    }))

  test('that a handler refuses by throwing leave no trace once the transaction is aborted', async () => {
    const db = await aDatabaseWith(() => {})
    db.registry.registerHandler(
      () => {
        throw new Error('No')
      },
      { for: [Employee, IObjectAddedEvent] },
    )
    const adding = db.transaction(({ root }) => void root.set('Bob', new Employee()))
    await expect(adding).rejects.toThrow('No')
    await db.view(({ root }) => expect(root.size).toBe(0))
  })
})

describe('Concurrent transactions', () => {
  const conflict = { code: 'STORAGE_CONFLICT' }
  const deep = (root: RootFolder): Folder => folderIn(folderIn(folderIn(root, 'a'), 'b'), 'c')
  const aDeepTree = () =>
    aDatabaseWith((root) => {
      const b = root.set('a', new Folder()).set('b', new Folder())
      b.set('c', new Folder()).set('Bob', new Employee())
      root.set('target', new Folder())
      root.set('site', new Site()).set('Eve', new Employee())
    })

  test('that add different names both keep theirs', async () => {
    const db = await aDatabaseWith(() => {})
    await race(
      db,
      (root) => void root.set('Eve', new Employee()),
      (root) => void root.set('Bob', new Employee()),
    )
    await db.view(({ root }) => expect([...root.keys()]).toEqual(['Bob', 'Eve']))
  })

  test('that add different names to a folder of thousands never conflict', async () => {
    const db = await aDatabaseWith((root) => {
      for (let nr = 0; nr < 2000; nr++) root.set(`employee ${nr}`, new Employee())
    })
    const addHundred = (letter: string) => (root: RootFolder) => {
      for (let nr = 0; nr < 100; nr++) root.set(`employee ${nr} ${letter}`, new Employee())
    }
    await race(db, addHundred('a'), addHundred('b'))
    await db.view(({ root }) => {
      expect([root.size, [...root.keys()].length]).toEqual([2200, 2200])
      expect(nameOf(root.getItem('employee 99 a'))).toBe('employee 99 a')
    })
  })

  test('that add the same name conflict', async () => {
    const db = await aDatabaseWith(() => {})
    const add = (root: RootFolder) => void root.set('Bob', new Employee())
    await expect(race(db, add, add)).rejects.toMatchObject(conflict)
  })

  test('that move one item to different places conflict', async () => {
    const db = await aDeepTree()
    const moveTo = (name: string) => (root: RootFolder) => {
      folderIn(root, 'target').set(name, deep(root).getItem('Bob'))
    }
    await expect(race(db, moveTo('one'), moveTo('two'))).rejects.toMatchObject(conflict)
  })

  test('that move two folders into each other conflict', async () => {
    const db = await aDeepTree()
    const intoTarget = (root: RootFolder) => {
      folderIn(root, 'target').set('a', root.getItem('a'))
      root.delete('a')
    }
    const intoDeep = (root: RootFolder) => {
      deep(root).set('target', root.getItem('target'))
      root.delete('target')
    }
    await expect(race(db, intoTarget, intoDeep)).rejects.toMatchObject(conflict)
  })

  const changes: Record<string, (root: RootFolder) => void> = {
    'adding to it': (root) => void folderIn(root, 'a').set('Eve', new Employee()),
    'adding deep inside it': (root) => void deep(root).set('Eve', new Employee()),
    'deleting deep inside it': (root) => void deep(root).delete('Bob'),
  }
  const ends: Record<string, (root: RootFolder) => void> = {
    removing: (root) => void root.delete('a'),
    moving: (root) => {
      folderIn(root, 'target').set('a', root.getItem('a'))
      root.delete('a')
    },
    renaming: (root) => {
      root.set('z', root.getItem('a'))
      root.delete('a')
    },
  }
  for (const [ending, end] of Object.entries(ends)) {
    for (const [changing, change] of Object.entries(changes)) {
      test(`${ending} a folder conflicts with ${changing}, whichever is first`, async () => {
        await expect(race(await aDeepTree(), end, change)).rejects.toMatchObject(conflict)
        await expect(race(await aDeepTree(), change, end)).rejects.toMatchObject(conflict)
      })
    }
  }

  test('removing a site conflicts with adding to it, and to its default folder', async () => {
    const siteIn = (root: RootFolder) => root.getItem('site') as Site
    const remove = (root: RootFolder) => void root.delete('site')
    for (const add of [
      (root: RootFolder) => void siteIn(root).set('new', new Employee()),
      (root: RootFolder) => void siteIn(root).siteManager.default.set('new', new Employee()),
    ]) {
      await expect(race(await aDeepTree(), add, remove)).rejects.toMatchObject(conflict)
      await expect(race(await aDeepTree(), remove, add)).rejects.toMatchObject(conflict)
    }
  })

  test('moving a folder does not conflict with a change of an item in it', async () => {
    const db = await aDeepTree()
    await race(db, ends.moving!, (root) => {
      const bob = deep(root).getItem('Bob') as Employee
      bob.title = 'Chief'
    })
    await db.view(({ root }) => {
      const moved = folderIn(folderIn(folderIn(folderIn(root, 'target'), 'a'), 'b'), 'c')
      expect((moved.getItem('Bob') as Employee).title).toBe('Chief')
    })
  })
})
