import { afterEach, describe, expect, test } from '@jest/globals'
import {
  type Container,
  type DatabaseContext,
  Folder,
  traverse,
  type WebhookDeliveryAttempt,
} from '../../lib/index.js'
import { isInTree, reasonToCancel } from '../../lib/webhooks/standing.js'
import {
  aSubscribedOffice,
  BOB,
  endAll,
  managerIn,
  OUN,
  promote,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

/** What is said of a pending attempt once `change` was made. */
async function reasonAfter(
  change: (root: DatabaseContext['root'], attempt: WebhookDeliveryAttempt) => void,
): Promise<string | undefined> {
  const { db } = await aSubscribedOffice({ webhooks: { deliver: false } })
  await promote(db)
  return db.transaction(({ root }) => {
    const [attempt] = subscriptionIn(root).values() as Iterable<WebhookDeliveryAttempt>
    change(root, attempt as WebhookDeliveryAttempt)
    return reasonToCancel(attempt as WebhookDeliveryAttempt)
  })
}

describe('A pending attempt', () => {
  test('is to be sent while its subscription stands', async () => {
    expect(await reasonAfter(() => {})).toBeUndefined()
  })

  test('is to be sent though its subscription was deactivated', async () => {
    const reason = await reasonAfter((root) =>
      managerIn(root).deactivateSubscription(subscriptionIn(root), { reason: 'holiday' }),
    )
    expect(reason).toBeUndefined()
  })

  test('is to be sent though its site has moved', async () => {
    const reason = await reasonAfter((root) => {
      root.set('OUN', traverse(root, OUN) as Folder)
      ;(traverse(root, '/NOAA/NWS') as Container).delete('OUN')
    })
    expect(reason).toBeUndefined()
  })

  test.each([
    [
      'its subscription',
      `${OUN}/++etc++site/default/WebhookSubscriptionManager`,
      'PersistentSubscription',
    ],
    ['its manager', `${OUN}/++etc++site/default`, 'WebhookSubscriptionManager'],
    ['its site', '/NOAA/NWS', 'OUN'],
    ['what its site is in', '/', 'NOAA'],
  ])('is cancelled when %s is removed', async (_what, path, name) => {
    const reason = await reasonAfter((root) => (traverse(root, path) as Container).delete(name))
    expect(reason).toBe('The subscription was removed.')
  })

  test('is cancelled when it is itself removed', async () => {
    const reason = await reasonAfter((root, attempt) =>
      subscriptionIn(root).delete(attempt.__name__ as string),
    )
    expect(reason).toBe('The attempt was removed.')
  })

  test('is cancelled when the receiver is gone, until the subscription is active again', async () => {
    const gone = (root: DatabaseContext['root']): void => {
      managerIn(root).deactivateSubscription(subscriptionIn(root), {
        reason: 'The receiver is gone (410).',
      })
    }
    expect(await reasonAfter(gone)).toBe('The receiver is gone (410).')
    const reason = await reasonAfter((root) => {
      gone(root)
      managerIn(root).activateSubscription(subscriptionIn(root))
    })
    expect(reason).toBeUndefined()
  })
})

describe('isInTree', () => {
  test('tells whether there is a root above', async () => {
    const { db } = await aSubscribedOffice()
    await db.view(({ root }) => {
      expect(isInTree(root)).toBe(true)
      expect(isInTree(traverse(root, BOB))).toBe(true)
      expect(isInTree(new Folder())).toBe(false)
    })
  })
})
