import { afterEach, describe, expect, test } from '@jest/globals'
import {
  Contained,
  copyOf,
  Folder,
  ICopyHook,
  ISite,
  parentOf,
  pathOf,
  Site,
  traverse,
} from '../../lib/content/index.js'
import { BTree, field, oidOf, stored } from '../../lib/persistence/index.js'
import { anOffice, closeDatabases, Employee, inTransaction } from '../support/content-builders.js'

afterEach(closeDatabases)

@stored('content-spec.Desk')
class Desk extends Contained {
  @field accessor owner: Contained | undefined = undefined
  @field accessor notes = new BTree<string, unknown>()
}

describe('Copy of a located object', () => {
  test('has no place, and copies of all that is inside', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      const oun = traverse(root, '/NOAA/NWS/OUN', Site)
      const copy = copyOf(oun)
      expect([copy.__parent__, copy.__name__]).toEqual([undefined, undefined])
      root.set('copy', copy)
    })
    await db.view(({ root }) => {
      const bob = traverse(root, '/copy/employees/Bob', Employee)
      expect(pathOf(bob)).toBe('/copy/employees/Bob')
      const original = traverse(root, '/NOAA/NWS/OUN/employees/Bob', Employee)
      expect(oidOf(original)).not.toBe(oidOf(bob))
      expect(parentOf(traverse(root, '/NOAA/NWS/OUN', Site))).toBe(
        traverse(root, '/NOAA/NWS', Site),
      )
      const site = traverse(root, '/copy', Site)
      expect(ISite.providedBy(site)).toBe(true)
      expect(parentOf(site.siteManager)).toBe(site)
      expect(site.siteManager === traverse(root, '/NOAA/NWS/OUN', Site).siteManager).toBe(false)
    })
  })

  test('leads to the copies of what is inside, and to the originals of what is not', async () => {
    await inTransaction((root) => {
      const [inside, outside] = [new Employee(), new Employee()]
      const folder = root.set('folder', new Folder())
      folder.set('inside', inside)
      root.set('outside', outside)
      const desk = folder.set('desk', new Desk())
      desk.owner = inside
      desk.notes.set('from', outside).set('root', root)
      const copy = copyOf(folder)
      const desks = copy.get('desk') as Desk
      expect(desks.owner === copy.get('inside')).toBe(true)
      expect(desks.owner === inside).toBe(false)
      expect(desks.notes === desk.notes).toBe(false)
      expect(desks.notes.get('from') === outside).toBe(true)
      expect(desks.notes.get('root') === root).toBe(true)
      // Alone, the desk leads to what stands beside it.
      expect(copyOf(desk).owner === inside).toBe(true)
    })
  })

  test('has copies of objects without a place', async () => {
    await inTransaction((root) => {
      const desk = root.set('desk', new Desk())
      desk.owner = new Employee()
      expect(copyOf(desk).owner === desk.owner).toBe(false)
    })
  })

  test('follows the rule that an adapter gives', async () => {
    await inTransaction((root, db) => {
      const substitute = new Employee()
      const folder = root.set('folder', new Folder())
      const secret = folder.set('secret', new Employee())
      const shared = folder.set('shared', new Employee())
      db.registry.registerAdapter(
        (object: Employee): ICopyHook => ({
          standIn(top) {
            expect(top).toBe(folder)
            return object === secret ? substitute : 'keep'
          },
        }),
        { adapts: [Employee], provides: ICopyHook },
      )
      const copy = copyOf(folder)
      expect(copy.get('secret') === substitute).toBe(true)
      expect(copy.get('shared') === shared).toBe(true)
    })
  })

  test('lacks what an adapter omits, and is told to the adapters of what was copied', async () => {
    await inTransaction((root, db) => {
      const folder = root.set('folder', new Folder())
      const secret = folder.set('secret', new Employee())
      const desk = folder.set('desk', new Desk())
      desk.owner = secret
      const copied: unknown[] = []
      db.registry.registerAdapter(
        (object: Contained): ICopyHook => ({
          standIn: () => (object === secret ? 'omit' : undefined),
          onCopied: (copy) => void copied.push(object, copy),
        }),
        { adapts: [Contained], provides: ICopyHook },
      )
      const copy = copyOf(folder)
      expect([[...copy.keys()], copy.size]).toEqual([['desk'], 1])
      expect((copy.get('desk') as Desk).owner).toBeUndefined()
      expect(copied).toEqual([folder, copy, desk, copy.get('desk')])
    })
  })
})
