import { afterEach, describe, expect, test } from '@jest/globals'
import {
  ComponentRegistry,
  type Interface,
  IObjectEvent,
  registryScope,
} from '../../lib/component/index.js'
import {
  Attributes,
  added,
  ContainerModifiedEvent,
  copied,
  created,
  Folder,
  IContainerModifiedEvent,
  IObjectAddedEvent,
  IObjectCopiedEvent,
  IObjectCreatedEvent,
  IObjectModifiedEvent,
  IObjectMovedEvent,
  IObjectRemovedEvent,
  modified,
  moved,
  nameOf,
  ObjectAddedEvent,
  ObjectCopiedEvent,
  ObjectCreatedEvent,
  ObjectModifiedEvent,
  ObjectMovedEvent,
  ObjectRemovedEvent,
  removed,
} from '../../lib/content/index.js'
import {
  aDatabaseWith,
  closeDatabases,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

const object = { name: 'an object' }
const parent = { name: 'a parent' }
const kinds: readonly Interface[] = [
  IObjectCreatedEvent,
  IObjectCopiedEvent,
  IObjectModifiedEvent,
  IContainerModifiedEvent,
  IObjectMovedEvent,
  IObjectAddedEvent,
  IObjectRemovedEvent,
]

describe('Life-cycle events', () => {
  test.each<[IObjectEvent, readonly Interface[]]>([
    [new ObjectCreatedEvent(object), [IObjectCreatedEvent]],
    [new ObjectCopiedEvent(object, parent), [IObjectCreatedEvent, IObjectCopiedEvent]],
    [new ObjectModifiedEvent(object), [IObjectModifiedEvent]],
    [new ContainerModifiedEvent(object), [IObjectModifiedEvent, IContainerModifiedEvent]],
    [new ObjectMovedEvent(object, {}), [IObjectMovedEvent]],
    [new ObjectAddedEvent(object, { parent, name: 'x' }), [IObjectMovedEvent, IObjectAddedEvent]],
    [
      new ObjectRemovedEvent(object, { parent, name: 'x' }),
      [IObjectMovedEvent, IObjectRemovedEvent],
    ],
  ])('%o is of its kinds, and of an object', (event, expected) => {
    expect(kinds.filter((kind) => kind.providedBy(event))).toEqual(expected)
    expect([IObjectEvent.providedBy(event), event.object]).toEqual([true, object])
  })

  test('tell both places of a move, and one of adding and removing', () => {
    const from = { parent: object, name: 'old' }
    const to = { parent, name: 'new' }
    expect(new ObjectMovedEvent(object, { from, to })).toMatchObject({
      oldParent: object,
      oldName: 'old',
      newParent: parent,
      newName: 'new',
    })
    expect(new ObjectAddedEvent(object, to)).toMatchObject({
      oldParent: undefined,
      oldName: undefined,
      newParent: parent,
      newName: 'new',
    })
    expect(new ObjectRemovedEvent(object, from)).toMatchObject({
      oldParent: object,
      oldName: 'old',
      newParent: undefined,
      newName: undefined,
    })
  })

  test('of a copy tell the original', () => {
    expect(new ObjectCopiedEvent(object, parent).original).toBe(parent)
  })
})

describe('modified and created', () => {
  test('notify of an event of that kind, with what is told about it', () => {
    const registry = new ComponentRegistry({ name: 'a registry' })
    const heard: unknown[] = []
    registry.registerHandler((event) => void heard.push(event), { for: [IObjectEvent] })
    registryScope.run(registry, () => {
      created(object)
      modified(object, { attributes: ['title'] }, { attributes: ['phones'] })
      modified(object)
    })
    expect(heard).toEqual([
      new ObjectCreatedEvent(object),
      new ObjectModifiedEvent(object, [{ attributes: ['title'] }, { attributes: ['phones'] }]),
      new ObjectModifiedEvent(object, []),
    ])
  })
})

describe('modified', () => {
  test('tells the fields that the transaction has changed, when it is told none', async () => {
    const db = await aDatabaseWith((root) => void root.set('Bob', new Employee()))
    const told: unknown[] = []
    db.registry.registerHandler(({ descriptions }) => void told.push(descriptions), {
      for: [IObjectModifiedEvent],
    })
    await db.transaction(({ root }) => {
      const bob = root.getItem('Bob') as Employee
      modified(bob)
      bob.title = 'Senior'
      modified(bob)
      modified(bob, { keys: [1] })
    })
    expect(told).toEqual([[], [new Attributes(undefined, 'title')], [{ keys: [1] }]])
  })

  test('does not tell the place, of which other events tell', async () => {
    const db = await aDatabaseWith((root) => void root.set('Bob', new Employee()))
    const told: unknown[] = []
    await db.transaction(({ root }) => {
      root.set('Robert', root.getItem('Bob'))
      root.delete('Bob')
      db.registry.registerHandler((_, { descriptions }) => void told.push(descriptions), {
        for: [Employee, IObjectModifiedEvent],
      })
      modified(root.getItem('Robert'))
    })
    expect(told).toEqual([[]])
  })
})

describe('copied, added, moved and removed', () => {
  test('tell what they are named after; of places, the one that the object has where none is given', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      const heard: unknown[] = []
      db.registry.registerHandler((event) => void heard.push(event), { for: [IObjectEvent] })
      heard.length = 0 // of its own registration
      const original = new Employee()
      const here = { parent: root, name: 'Bob' }
      const there = { parent: undefined, name: 'Robert' }
      copied(bob, original)
      added(bob)
      moved(bob, { from: there })
      moved(bob, { from: here, to: there })
      removed(bob)
      removed(bob, there)
      expect(heard).toEqual([
        new ObjectCopiedEvent(bob, original),
        new ObjectAddedEvent(bob, here),
        new ObjectMovedEvent(bob, { from: there, to: here }),
        new ObjectMovedEvent(bob, { from: here, to: there }),
        new ObjectRemovedEvent(bob, here),
        new ObjectRemovedEvent(bob, there),
      ])
    }))

  test('reach what is inside, the deepest first, where the place changed', () =>
    inTransaction((root, db) => {
      const folder = root.set('folder', new Folder())
      folder.set('inner', new Folder()).set('Bob', new Employee())
      const heard: unknown[] = []
      db.registry.registerHandler((object) => void heard.push(nameOf(object as object)), {
        for: [Folder, IObjectMovedEvent],
      })
      db.registry.registerHandler((object) => void heard.push(nameOf(object)), {
        for: [Employee, IObjectMovedEvent],
      })
      added(folder)
      expect(heard).toEqual(['Bob', 'inner', 'folder'])
      copied(folder, folder)
      expect(heard).toHaveLength(3)
    }))
})
