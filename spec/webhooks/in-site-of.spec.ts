import { afterEach, describe, expect, test } from '@jest/globals'
import { currentSite, traverse, WebhookDeliveryAttempt } from '../../lib/index.js'
import { inSiteOf } from '../../lib/webhooks/in-site-of.js'
import {
  aSubscribedOffice,
  endAll,
  OUN,
  promote,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

describe('inSiteOf', () => {
  test("makes the attempt's site the current one", async () => {
    const { db } = await aSubscribedOffice({ webhooks: { deliver: false } })
    await promote(db)
    await db.view(({ root }) => {
      const [attempt] = subscriptionIn(root).values()
      const site = inSiteOf(attempt as WebhookDeliveryAttempt, () => currentSite())
      expect(site).toBe(traverse(root, OUN))
    })
  })

  test('calls without a site when the attempt is in none', () => {
    const attempt = WebhookDeliveryAttempt.pending({ payload: '', nowMs: 0, transactionNote: '' })
    expect(inSiteOf(attempt, () => currentSite())).toBeUndefined()
  })
})
