import { afterEach, describe, expect, test } from '@jest/globals'
import {
  created,
  DefaultDialect,
  type Folder,
  IAny,
  IWebhookDialect,
  modified,
  notify,
  ObjectEvent,
  queryUtility,
  traverse,
} from '../../lib/index.js'
import { configureWebhooks } from '../../lib/webhooks/index.js'
import {
  aSubscribedOffice,
  BOB,
  Desk,
  EMPLOYEES,
  Employee,
  endAll,
  promote,
} from '../support/webhooks-builders.js'

afterEach(endAll)

/** What is sent of all that can happen to an employee and a desk. */
async function sentWith(dispatch: 'none' | 'recommended' | 'promiscuous'): Promise<number> {
  const { db, transport } = await aSubscribedOffice({ dispatch, subscription: { for: IAny } })
  const happen = (make: () => Employee | Desk): Promise<void> =>
    db.transaction(({ root }) => {
      const folder = traverse(root, EMPLOYEES) as Folder
      const item = folder.set('item', make())
      created(item)
      modified(item)
      notify(new ObjectEvent(item))
      folder.set('moved', item)
      folder.delete('item')
      folder.delete('moved')
    })
  await happen(() => new Employee())
  await happen(() => new Desk())
  await db.webhooks.waitForPendingDeliveries()
  return transport.requests.length
}

describe('The dispatch set', () => {
  test('none: nothing is ever sent', async () => {
    expect(await sentWith('none')).toBe(0)
  })

  test('recommended: possible payloads, added, modified and removed', async () => {
    expect(await sentWith('recommended')).toBe(3)
  })

  test('promiscuous: every event of everything', async () => {
    // Added, created, modified, told, moved, removed; and four times the folder is modified.
    expect(await sentWith('promiscuous')).toBe(2 * (6 + 4))
  })

  test('both at once still send each event once', async () => {
    const { db, transport } = await aSubscribedOffice({
      configure: (registry) => configureWebhooks(registry, { dispatch: 'promiscuous' }),
    })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(1)
  })

  test('of one database is not that of another', async () => {
    const sending = await aSubscribedOffice()
    const silent = await aSubscribedOffice({ dispatch: 'none' })
    await promote(sending.db)
    await promote(silent.db)
    await sending.db.webhooks.waitForPendingDeliveries()
    await silent.db.webhooks.waitForPendingDeliveries()
    expect(sending.transport.requests).toHaveLength(1)
    expect(silent.transport.requests).toHaveLength(0)
  })
})

describe('configureWebhooks', () => {
  test('registers the default dialect under no name', async () => {
    const { db } = await aSubscribedOffice()
    await db.view(({ root }) => {
      const context = traverse(root, BOB)
      expect(queryUtility(IWebhookDialect, { context })).toBeInstanceOf(DefaultDialect)
    })
  })
})
