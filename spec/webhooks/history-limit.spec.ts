import { afterEach, describe, expect, test } from '@jest/globals'
import { type Database, modified, traverse } from '../../lib/index.js'
import { TOO_MANY_FAILURES } from '../../lib/webhooks/index.js'
import {
  aSubscribedOffice,
  attemptsOf,
  BOB,
  Employee,
  endAll,
  managerIn,
  promote,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

/** So many events, each in a transaction of its own, then delivered. */
async function deliver(db: Database, count: number): Promise<void> {
  for (let number = 0; number < count; number++) await promote(db, `title ${number}`)
  await db.webhooks.waitForPendingDeliveries()
}

async function limitTo(db: Database, attemptLimit: number): Promise<void> {
  await db.transaction(({ root }) => {
    subscriptionIn(root).attemptLimit = attemptLimit
  })
}

function isActive(db: Database): Promise<boolean> {
  return db.view(({ root }) => subscriptionIn(root).active)
}

describe('The history of a subscription', () => {
  test('keeps 50 resolved attempts, the newest', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      for (let count = 0; count < 60; count++) modified(traverse(root, BOB))
    })
    const all = (await attemptsOf(db)).map(({ name }) => name)
    await db.webhooks.waitForPendingDeliveries()
    const kept = await attemptsOf(db)
    expect(kept.map(({ name }) => name)).toEqual(all.slice(10))
    expect(new Set(kept.map(({ status }) => status))).toEqual(new Set(['successful']))
  })

  test('never loses what is pending, however much', async () => {
    const { db } = await aSubscribedOffice({ webhooks: { deliver: false } })
    for (let number = 0; number < 60; number++) await promote(db, `title ${number}`)
    const attempts = await attemptsOf(db)
    expect(attempts).toHaveLength(60)
    expect(new Set(attempts.map(({ status }) => status))).toEqual(new Set(['pending']))
  })

  test('is shortened at the next result when the limit is lowered', async () => {
    const { db } = await aSubscribedOffice()
    await deliver(db, 5)
    await limitTo(db, 2)
    expect(await attemptsOf(db)).toHaveLength(5)
    await deliver(db, 1)
    const kept = await attemptsOf(db)
    expect(kept).toHaveLength(2)
    expect(kept[1]?.payload).toContain('title 0')
  })
})

describe('A subscription that fails', () => {
  test('as often in a row as its limit is suspended', async () => {
    const { db, transport } = await aSubscribedOffice()
    transport.answer(404)
    await deliver(db, 49)
    expect(await isActive(db)).toBe(true)
    await deliver(db, 1)
    await db.view(({ root }) => {
      expect(subscriptionIn(root).active).toBe(false)
      expect(subscriptionIn(root).statusMessage).toBe(
        'Delivery suspended due to too many delivery failures.',
      )
    })
    expect(TOO_MANY_FAILURES).toBe('Delivery suspended due to too many delivery failures.')
    await promote(db, 'too late')
    expect(await attemptsOf(db)).toHaveLength(50)
  })

  test('is not suspended while a success is remembered', async () => {
    const { db, transport } = await aSubscribedOffice()
    await limitTo(db, 3)
    await deliver(db, 1)
    transport.answer(404)
    await deliver(db, 2)
    expect(await isActive(db)).toBe(true)
    // The third failure pushes the success out.
    await deliver(db, 1)
    expect(await isActive(db)).toBe(false)
  })

  test('is not suspended while something is pending', async () => {
    const { db, transport } = await aSubscribedOffice()
    await limitTo(db, 2)
    transport.answer(500, 404)
    await deliver(db, 3)
    expect((await attemptsOf(db)).map(({ status }) => status)).toEqual(['pending', 'failed'])
    expect(await isActive(db)).toBe(true)
  })

  test('is delivered what was pending when it was suspended', async () => {
    const { db, transport } = await aSubscribedOffice()
    await limitTo(db, 2)
    transport.answer(404)
    db.webhooks.pause()
    for (let number = 0; number < 4; number++) await promote(db, `title ${number}`)
    db.webhooks.resume()
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(4)
    expect(await isActive(db)).toBe(false)
  })

  test('is suspended again by the next failure after it was activated', async () => {
    const { db, transport } = await aSubscribedOffice()
    await limitTo(db, 2)
    transport.answer(404)
    await deliver(db, 2)
    await db.transaction(({ root }) => managerIn(root).activateSubscription(subscriptionIn(root)))
    expect(await isActive(db)).toBe(true)
    await deliver(db, 1)
    expect(await isActive(db)).toBe(false)
  })

  test('may fail as often again when its history is cleared', async () => {
    const { db, transport } = await aSubscribedOffice()
    await limitTo(db, 2)
    transport.answer(404)
    await deliver(db, 2)
    await db.transaction(({ root }) => {
      subscriptionIn(root).clear()
      managerIn(root).activateSubscription(subscriptionIn(root))
    })
    await deliver(db, 1)
    expect(await isActive(db)).toBe(true)
    expect(await db.view(({ root }) => traverse(root, BOB, Employee).title)).toBe('title 0')
  })
})
