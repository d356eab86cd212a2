import { afterEach, describe, expect, test } from '@jest/globals'
import {
  ConflictError,
  type Oid,
  subscribeToResource,
  type Tid,
  traverse,
} from '../../lib/index.js'
import {
  anOffice,
  aSubscribedOffice,
  attemptsOf,
  BOB,
  bodiesOf,
  Employee,
  elsewhere,
  endAll,
  HOOK,
  OUN,
  outboxSize,
  promote,
  promoteIn,
  SUBSCRIPTION,
} from '../support/webhooks-builders.js'

/** Tries again without a pause: the clock stands still. */
const AT_ONCE = { backoffMs: () => 0 }

afterEach(endAll)

describe('A transaction that does not commit', () => {
  test('sends nothing and records nothing when it throws', async () => {
    const { db, transport } = await aSubscribedOffice()
    const failing = db.transaction(({ root }) => {
      promoteIn(root, 'Senior')
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
    expect(await attemptsOf(db)).toEqual([])
  })

  test('sends nothing when it is doomed', async () => {
    const { db, transport } = await aSubscribedOffice()
    await db.transaction(({ root, transaction }) => {
      promoteIn(root, 'Senior')
      transaction.doom()
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
    expect(await attemptsOf(db)).toEqual([])
  })

  test('sends nothing when another data manager refuses, at any phase', async () => {
    const { db, transport } = await aSubscribedOffice()
    for (const phase of ['tpcBegin', 'commit', 'tpcVote'] as const) {
      const refusing = db.transaction(({ root, transaction }) => {
        promoteIn(root, 'Senior')
        transaction.join({
          sortKey: '~~~last',
          abort() {},
          tpcBegin() {},
          commit() {},
          tpcVote() {},
          tpcFinish() {},
          tpcAbort() {},
          [phase]() {
            throw new Error(`refused in ${phase}`)
          },
        })
      })
      await expect(refusing).rejects.toThrow(`refused in ${phase}`)
    }
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
    expect(await attemptsOf(db)).toEqual([])
    expect(await db.view(({ root }) => traverse(root, BOB, Employee).title)).toBe('')
  })

  test('leaves no subscription and no manager when it had made them', async () => {
    const { db, transport } = await anOffice()
    const failing = db.transaction(({ root }) => {
      subscribeToResource(traverse(root, OUN), { to: HOOK, for: Employee })
      promoteIn(root, 'Senior')
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    await promote(db)
    expect(transport.requests).toHaveLength(0)
    await db.view(({ root }) => {
      expect(() => traverse(root, SUBSCRIPTION)).toThrow('no "WebhookSubscriptionManager"')
    })
  })
})

describe('A transaction that conflicts and is tried again', () => {
  test('sends once', async () => {
    const { db, transport } = await aSubscribedOffice()
    let tries = 0
    await db.transaction(async ({ root }) => {
      tries++
      promoteIn(root, `try ${tries}`)
      // Somebody else commits a change of the same object before the first try can.
      if (tries === 1) await elsewhere(() => promote(db, 'by somebody else'))
    }, AT_ONCE)
    await db.webhooks.waitForPendingDeliveries()
    expect(tries).toBe(2)
    expect(bodiesOf(transport)).toMatchObject([{ title: 'by somebody else' }, { title: 'try 2' }])
    expect(await attemptsOf(db)).toHaveLength(2)
  })

  test('sends nothing when it never succeeds', async () => {
    const { db, transport } = await aSubscribedOffice()
    const failing = db.transaction(
      ({ root }) => {
        promoteIn(root, 'Senior')
        throw aConflict()
      },
      { ...AT_ONCE, tries: 3 },
    )
    await expect(failing).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' })
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
    expect(await outboxSize(db)).toBe(0)
  })
})

function aConflict(): ConflictError {
  return ConflictError.between({
    oid: 1 as Oid,
    what: 'an employee',
    read: 1 as Tid,
    committed: 2 as Tid,
  })
}
