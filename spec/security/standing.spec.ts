import { afterEach, describe, expect, test } from '@jest/globals'
import { Folder, Site } from '../../lib/content/index.js'
import { grantsOf } from '../../lib/security/index.js'
import { standingOf } from '../../lib/security/standing.js'
import { closeDatabases } from '../support/content-builders.js'
import { anOffice, placesIn, READ } from '../support/security-builders.js'

afterEach(closeDatabases)

const BOB_READS = { principal: 'bob', permission: READ }

describe('Standing of an object', () => {
  test('is the same as long as nothing changes', async () => {
    const { db } = await anOffice()
    await db.view(({ root }) => {
      const { paper } = placesIn(root)
      expect(standingOf(paper)).toBe(standingOf(paper))
    })
  })

  test('objects below share the nearest place with grants', async () => {
    const { db } = await anOffice((root) => grantsOf(placesIn(root).office).allow(BOB_READS))
    await db.view(({ root }) => {
      const { office, desk, paper } = placesIn(root)
      expect(standingOf(paper).place).toBe(standingOf(office).place)
      expect(standingOf(desk).place).toBe(standingOf(office).place)
      expect(standingOf(root).place).not.toBe(standingOf(office).place)
    })
  })

  test('a place keeps what it remembers in the next transaction', async () => {
    const { db } = await anOffice((root) => grantsOf(placesIn(root).office).allow(BOB_READS))
    const place = await db.view(({ root }) => standingOf(placesIn(root).paper).place)
    await db.view(({ root }) => expect(standingOf(placesIn(root).paper).place).toBe(place))
    await db.transaction(({ root }) => {
      grantsOf(placesIn(root).office).deny(BOB_READS)
      expect(standingOf(placesIn(root).paper).place).not.toBe(place)
    })
    await db.view(({ root }) => expect(standingOf(placesIn(root).paper).place).not.toBe(place))
  })

  test('nothing is remembered of what the transaction has changed, nor below it', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const { desk, paper, office } = placesIn(root)
      desk.set('new', new Folder())
      expect(standingOf(office).connection).toBeDefined()
      expect(standingOf(desk).connection).toBeUndefined()
      expect(standingOf(paper).connection).toBeUndefined()
    })
  })

  test('nothing is remembered in a serializable transaction, for it must note what it reads', async () => {
    const { db } = await anOffice()
    await db.objects.transaction(
      ({ connection }) => {
        const office = connection.rootMapping
        expect(standingOf(office).connection).toBeUndefined()
      },
      { isolation: 'serializable' },
    )
  })

  test('has the nearest site, or what serves the database', async () => {
    const { db } = await anOffice((root) => {
      root.set('site', new Site()).set('folder', new Folder())
    })
    await db.view(({ root }) => {
      const site = root.getItem('site') as Site
      expect(standingOf(site.getItem('folder')).context).toBe(site)
      expect(standingOf(placesIn(root).paper).context).toBe(db.registry)
    })
  })

  test('of an object without a database is what the call has', async () => {
    const { db } = await anOffice()
    await db.view(() => expect(standingOf({}).context).toBe(db.registry))
  })
})
