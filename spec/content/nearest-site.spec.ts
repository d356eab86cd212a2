import { afterEach, describe, expect, test } from '@jest/globals'
import { registryScope } from '../../lib/component/index.js'
import { Folder, Site, siteOf, traverse } from '../../lib/content/index.js'
import { anOffice, closeDatabases, Employee, inTransaction } from '../support/content-builders.js'

afterEach(closeDatabases)

describe('siteOf', () => {
  test('gives the object itself, or the nearest site above it', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const oun = traverse(root, '/NOAA/NWS/OUN', Site)
      expect(siteOf(oun)).toBe(oun)
      expect(siteOf(traverse(oun, 'employees/Bob'))).toBe(oun)
      expect(siteOf(oun.siteManager.default)).toBe(oun)
    })
  })

  test('gives undefined where there is none', () =>
    inTransaction((root) => {
      expect(siteOf(root.set('Bob', new Employee()))).toBeUndefined()
      expect(siteOf({})).toBeUndefined()
    }))

  test('follows what is moved, with all that is in it', () =>
    inTransaction((root) => {
      const [one, two] = [root.set('one', new Site()), root.set('two', new Site())]
      const folder = one.set('folder', new Folder())
      const bob = folder.set('in', new Folder()).set('Bob', new Employee())
      expect(siteOf(bob)).toBe(one)
      two.set('folder', folder)
      expect(siteOf(bob)).toBe(two)
      one.delete('folder')
      two.delete('folder')
      expect(siteOf(bob)).toBeUndefined()
    }))

  test('follows what is moved again and again', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      const [noaa, nws] = [traverse(root, '/NOAA', Site), traverse(root, '/NOAA/NWS', Site)]
      const employees = traverse(root, '/NOAA/NWS/OUN/employees', Folder)
      const bob = employees.getItem('Bob')
      for (const site of [noaa, nws, noaa, nws, noaa]) {
        const from = employees.__parent__ as Folder
        const name = employees.__name__ as string
        site.set('employees', employees)
        from.delete(name)
        expect(siteOf(bob)).toBe(site)
      }
    })
  })

  // A savepoint from before the connection took part puts back by an abort.
  test.each([false, true])('is what it was when a savepoint is returned to (%p)', async (first) => {
    const db = await anOffice()
    await db.transaction(({ root, connection }) => {
      const { transaction } = connection
      const [oun, noaa] = [traverse(root, '/NOAA/NWS/OUN', Site), traverse(root, '/NOAA', Site)]
      const bob = traverse(oun, 'employees/Bob')
      if (!first) root.set('other', new Folder())
      const savepoint = transaction?.savepoint() as { rollback(): void }
      expect(siteOf(bob)).toBe(oun)
      registryScope.run(db.registry, () =>
        noaa.set('employees', traverse(oun, 'employees', Folder)),
      )
      expect(siteOf(bob)).toBe(noaa)
      savepoint.rollback()
      expect(siteOf(bob)).toBe(oun)
    })
  })
})
