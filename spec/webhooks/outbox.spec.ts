import { afterEach, describe, expect, test } from '@jest/globals'
import { oidOf } from '../../lib/index.js'
import { OUTBOX_KEY, outboxOf } from '../../lib/webhooks/index.js'
import {
  aSubscribedOffice,
  endAll,
  outboxSize,
  promote,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

describe('The outbox', () => {
  test('stands in the root mapping from the first opening on', async () => {
    const { db } = await aSubscribedOffice()
    await db.view(({ rootMapping, connection }) => {
      expect(rootMapping.get(OUTBOX_KEY)).toBe(outboxOf(connection))
    })
  })

  test('has each pending attempt by oid, with the time at which it is due', async () => {
    const { db, transport, clock } = await aSubscribedOffice({
      webhooks: { retry: { ladderMs: [5000], jitter: 0 } },
    })
    transport.answer(500)
    const madeAtMs = clock.nowMs()
    db.webhooks.pause()
    await promote(db)
    const rows = () =>
      db.view(({ connection, root }) => {
        const [attempt] = subscriptionIn(root).values()
        return [[...outboxOf(connection).entries()], oidOf(attempt as never)] as const
      })
    const [before, oid] = await rows()
    expect(before).toEqual([[oid, madeAtMs]])
    db.webhooks.resume()
    await db.webhooks.waitForPendingDeliveries()
    expect((await rows())[0]).toEqual([[oid, madeAtMs + 5000]])
  })

  test('is empty once all are resolved', async () => {
    const { db } = await aSubscribedOffice()
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await outboxSize(db)).toBe(0)
  })
})
