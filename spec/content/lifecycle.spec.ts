import { describe, expect, test } from '@jest/globals'
import {
  ComponentRegistry,
  type Interface,
  IObjectEvent,
  registryScope,
} from '../../lib/component/index.js'
import {
  ContainerModifiedEvent,
  created,
  IContainerModifiedEvent,
  IObjectAddedEvent,
  IObjectCopiedEvent,
  IObjectCreatedEvent,
  IObjectModifiedEvent,
  IObjectMovedEvent,
  IObjectRemovedEvent,
  modified,
  ObjectAddedEvent,
  ObjectCopiedEvent,
  ObjectCreatedEvent,
  ObjectModifiedEvent,
  ObjectMovedEvent,
  ObjectRemovedEvent,
} from '../../lib/content/index.js'

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
