import { afterEach, describe, expect, test } from '@jest/globals'
import { type ComponentRegistry, type Interface, IObjectEvent } from '../../lib/component/index.js'
import {
  Contained,
  Folder,
  IContained,
  IObjectAddedEvent,
  IObjectModifiedEvent,
  IObjectMovedEvent,
  IObjectRemovedEvent,
  modified,
  nameOf,
  Site,
  traverse,
} from '../../lib/content/index.js'
import { sublocationsOf } from '../../lib/content/sublocations.js'
import { anOffice, closeDatabases, Employee, inTransaction } from '../support/content-builders.js'

afterEach(closeDatabases)

/** Writes down which objects hear of events of a kind, and the events. */
function listenBelow(registry: ComponentRegistry, kind: Interface = IObjectMovedEvent) {
  const heard: string[] = []
  const events = new Set<object>()
  registry.registerHandler(
    (object, event) => {
      heard.push(nameOf(object as object) ?? '(no name)')
      events.add(event as object)
    },
    { for: [IContained, kind] },
  )
  return { heard, events }
}

function aSubtree(): Folder {
  const top = new Folder()
  top.set('b', new Folder()).set('Bob', new Employee())
  top.set('a', new Folder()).set('deep', new Folder()).set('Ann', new Employee())
  top.set('Eve', new Employee())
  return top
}

describe('Sublocations', () => {
  test('hear of adding, moving and removing: the deepest first, the object last', () =>
    inTransaction((root, db) => {
      const top = aSubtree()
      const expected = ['Eve', 'Ann', 'deep', 'a', 'Bob', 'b']
      for (const [kind, change] of [
        [IObjectAddedEvent, () => void root.set('top', top)],
        [IObjectMovedEvent, () => void root.set('new', top)],
        [IObjectRemovedEvent, () => void root.delete('new')],
      ] as const) {
        const { heard, events } = listenBelow(db.registry, kind)
        change()
        expect(heard).toEqual([...expected, kind === IObjectAddedEvent ? 'top' : 'new'])
        expect(events.size).toBe(1)
      }
    }))

  test('hear the same event, whose object is the one on top', () =>
    inTransaction((root, db) => {
      const top = aSubtree()
      const { events } = listenBelow(db.registry)
      root.set('top', top)
      expect([...events].map((event) => (event as IObjectEvent).object)).toEqual([top])
    }))

  test("hear of it before the object's own handlers, general ones included", () =>
    inTransaction((root, db) => {
      const log: string[] = []
      const folder = new Folder()
      folder.set('Bob', new Employee())
      db.registry.registerHandler(() => void log.push('employee'), {
        for: [Employee, IObjectAddedEvent],
      })
      db.registry.registerHandler(() => void log.push('folder'), { for: [Folder, IObjectEvent] })
      db.registry.registerHandler(() => void log.push('event'), { for: [IObjectAddedEvent] })
      root.set('folder', folder)
      expect(log).toEqual(['employee', 'folder', 'event', 'folder'])
    }))

  test('of a site are its manager and what is in that, too', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      const nws = traverse(root, '/NOAA/NWS', Site)
      const { heard } = listenBelow(db.registry)
      root.set('moved', nws)
      expect(heard.filter((name) => name === '++etc++site')).toHaveLength(2)
      expect(heard.filter((name) => name === 'default')).toHaveLength(2)
      expect(heard.slice(-1)).toEqual(['moved'])
      const at = (name: string): number => heard.indexOf(name)
      expect(at('default')).toBeLessThan(at('++etc++site'))
      expect(at('Bob')).toBeLessThan(at('employees'))
      expect(at('employees')).toBeLessThan(at('OUN'))
      expect(heard).toHaveLength(8)
    })
  })

  test('hear nothing when the object is modified', () =>
    inTransaction((root, db) => {
      const top = root.set('top', aSubtree())
      const { heard } = listenBelow(db.registry, IObjectModifiedEvent)
      modified(top)
      expect(heard).toEqual(['top'])
    }))

  test('of an object that is no container are none', () => {
    expect([...sublocationsOf(new Employee())]).toEqual([])
    expect([...sublocationsOf(new Contained())]).toEqual([])
    expect([...sublocationsOf(aSubtree())].map(nameOf)).toEqual(['Eve', 'a', 'b'])
  })

  test('that a handler takes out meanwhile hear nothing more', () =>
    inTransaction((root, db) => {
      const top = new Folder()
      for (const name of ['a', 'b', 'c']) top.set(name, new Employee())
      const heard: string[] = []
      db.registry.registerHandler(
        (object) => {
          heard.push(nameOf(object) ?? '(no name)')
          if (object === top.get('a')) top.delete('b')
        },
        { for: [Employee, IObjectAddedEvent] },
      )
      root.set('top', top)
      expect(heard).toEqual(['a', 'c'])
    }))
})
