import { afterEach, describe, expect, test } from '@jest/globals'
import { Site, siteOf, type Tid, traverse } from '../../lib/index.js'
import {
  aDirectory,
  aSubscribedOffice,
  attemptsOf,
  BOB,
  bodiesOf,
  Employee,
  endAll,
  outboxSize,
  promote,
} from '../support/webhooks-builders.js'

afterEach(endAll)

async function aPromotion() {
  const { db, transport } = await aSubscribedOffice({
    location: await aDirectory(),
    history: 'all',
  })
  await promote(db, 'Senior')
  const tid = db.lastTid
  return { db, transport, tid }
}

const titleOf = (db: Awaited<ReturnType<typeof aPromotion>>['db']) =>
  db.view(({ root }) => traverse(root, BOB, Employee).title)

describe('An undone transaction', () => {
  test('keeps the record of its deliveries, and sends nothing new', async () => {
    const { db, transport, tid } = await aPromotion()
    await db.webhooks.waitForPendingDeliveries()
    await db.undo(tid)
    await db.webhooks.waitForPendingDeliveries()
    expect(await titleOf(db)).toBe('')
    expect(bodiesOf(transport)).toMatchObject([{ title: 'Senior' }])
    expect((await attemptsOf(db)).map(({ status }) => status)).toEqual(['successful'])
    expect(await outboxSize(db)).toBe(0)
  })

  test('still sends what it had decided to send', async () => {
    const { db, transport, tid } = await aPromotion()
    db.webhooks.pause()
    await promote(db, 'Chief')
    await db.undo([tid, db.lastTid])
    db.webhooks.resume()
    await db.webhooks.waitForPendingDeliveries()
    expect(await titleOf(db)).toBe('')
    expect(bodiesOf(transport)).toMatchObject([{ title: 'Senior' }, { title: 'Chief' }])
    expect(await outboxSize(db)).toBe(0)
  })

  test('that recorded results has nothing to take back', async () => {
    const { db, tid } = await aPromotion()
    await db.webhooks.waitForPendingDeliveries()
    expect(db.lastTid).toBe((tid + 1) as Tid)
    expect(await db.undo(db.lastTid)).toBeUndefined()
  })

  test('puts a site back where it was, and what is looked up there', async () => {
    const { db } = await aPromotion()
    await db.webhooks.waitForPendingDeliveries()
    await db.transaction(({ root }) => {
      const nws = traverse(root, '/NOAA/NWS', Site)
      const oun = nws.get('OUN') as Site
      nws.delete('OUN')
      root.set('OUN', oun)
    })
    const moved = db.lastTid
    await db.webhooks.waitForPendingDeliveries()
    await db.undo(moved)
    await db.view(({ root }) => {
      expect(root.has('OUN')).toBe(false)
      const site = siteOf(traverse(root, BOB)) as Site
      expect(site).toBe(traverse(root, '/NOAA/NWS/OUN'))
      const above = traverse(root, '/NOAA/NWS', Site).siteManager.registry
      expect(site.siteManager.registry.bases).toEqual([above])
    })
  })
})
