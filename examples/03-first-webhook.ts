// 03 A first webhook: a request that is sent after the commit, or never.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Contained,
  codeOf,
  Database,
  type DatabaseOptions,
  Folder,
  field,
  IExternalObject,
  IObjectModifiedEvent,
  IPossibleWebhookPayload,
  implementer,
  modified,
  type PersistentSubscription,
  pathOf,
  Site,
  stored,
  subscribeToResource,
  traverse,
  type WebhookDeliveryAttempt,
} from 'treehook'
import { startLocalReceiver } from 'treehook/testing'

@stored('employees.Employee')
@implementer(IPossibleWebhookPayload, IExternalObject) // the recommended dispatch set hears of these
class Employee extends Contained {
  @field accessor title = ''

  /** What of an employee may leave the house. */
  toExternalObject(): unknown {
    return { name: this.__name__, title: this.title }
  }
}

const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
const receiver = await startLocalReceiver() // real HTTPS on 127.0.0.1, with a certificate of its own
const SUBSCRIPTION =
  '/NOAA/NWS/OUN/++etc++site/default/WebhookSubscriptionManager/PersistentSubscription'

type Webhooks = NonNullable<DatabaseOptions['webhooks']>

/** Opens the database, changes Bob's title, and waits until what is due was sent and recorded. */
async function promote(title: string, webhooks: Webhooks): Promise<void> {
  await using db = await Database.open(directory, { webhooks })
  await db.transaction(({ root }) => {
    const bob = traverse(root, '/NOAA/NWS/OUN/employees/Bob', Employee)
    bob.title = title
    modified(bob) // the event; its webhook leaves after commit
  })
  await db.webhooks.waitForPendingDeliveries()
}

/** The attempts of the subscription, oldest first. */
async function show(look: (attempt: WebhookDeliveryAttempt) => unknown): Promise<void> {
  await using db = await Database.open(directory)
  await db.view(({ root }) => {
    const subscription = traverse(root, SUBSCRIPTION) as PersistentSubscription
    console.log(`${subscription.size} attempts, ${receiver.requests.length} requests received`)
    for (const attempt of subscription.values()) console.log(look(attempt))
  })
}

{
  await using db = await Database.open(directory)
  await db.transaction(({ root }) => {
    const oun = root.set('NOAA', new Site()).set('NWS', new Site()).set('OUN', new Site())
    const bob = oun.set('employees', new Folder()).set('Bob', new Employee())

    // Without `for`, the kind is what the resource itself provides: here, employees.
    const subscription = subscribeToResource(bob, {
      to: `${receiver.url}hook`,
      when: IObjectModifiedEvent,
    })
    console.log(pathOf(subscription))
    //=> /NOAA/NWS/OUN/++etc++site/default/WebhookSubscriptionManager/PersistentSubscription
    console.log(subscription.for.id, subscription.when.name, subscription.active)
    //=> class Employee treehook.IObjectModifiedEvent true

    // What cannot be a subscription is refused, and nothing is made.
    for (const wrong of [
      { to: 'http://example.com' },
      { to: 'https://x.org', when: Employee as never },
    ]) {
      try {
        subscribeToResource(bob, wrong)
      } catch (error) {
        console.log(codeOf(error))
      }
    }
    //=> WEBHOOK_INVALID_TARGET
    //=> WEBHOOK_INVALID_TRIGGER
  })
}

// No dispatch set is on by default: nothing listens, so nothing is recorded or sent.
await promote('Forecaster', {})
await show(({ status }) => status)
//=> 0 attempts, 0 requests received

// With the recommended set the event is heard. The receiver is on 127.0.0.1, where only the
// operator's allow-list lets requests go: the delivery is refused, before a single byte is sent.
const trust = { dispatch: 'recommended', ca: [receiver.ca] } as const
await promote('Lead Forecaster', trust)
await show(({ status, resolution, message }) => `${status}, ${resolution}: ${message}`)
//=> 1 attempts, 0 requests received
//=> failed, invalidDestination: Verification of the destination URL failed. Please check the domain.

// Allowed.
await promote('Meteorologist in Charge', { ...trust, destinations: { allow: ['127.0.0.1'] } })
await show(({ status, message, payload }) => `${status} ${message} ${payload}`)
//=> 2 attempts, 1 requests received
//=> failed Verification of … {"name":"Bob","title":"Lead Forecaster"}
//=> successful 200 OK {"name":"Bob","title":"Meteorologist in Charge"}
console.log(receiver.requests[0]?.body)
//=> {"name":"Bob","title":"Meteorologist in Charge"}

await receiver.close()
await rm(directory, { recursive: true })
