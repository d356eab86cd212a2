import {
  Database,
  Folder,
  IObjectModifiedEvent,
  IWebhookDeliveryAttempt,
  IWebhookDeliveryAttemptFailedEvent,
  IWebhookDeliveryAttemptSucceededEvent,
  modified,
  type OutgoingRequest,
  Site,
  subscribeToResource,
  traverse,
  type WebhookSubscriptionManager,
} from '../lib/index.js'
import {
  type ReceiverProcess,
  RecordingTransport,
  startReceiverProcess,
} from '../lib/testing/index.js'
import type { Figure, Goal } from './figure.js'
import { buildOffices, buildStaff, Employee, NWS, staffName } from './fixtures.js'
import { alternate, inParallel, median, verify } from './harness.js'
import { RawUndici } from './raw-undici.js'
import type { Subject } from './subject.js'

/**
 * Events that become deliveries: from `modified` in a transaction until the outcome of each is
 * durable. One event, one subscription, one delivery. There are eight sites with a subscription of
 * their own, so that no endpoint is at its limit of 8; the limit of one host, 16 requests at once,
 * holds. All limits are the defaults.
 */
export const delivery: Subject = {
  name: 'delivery',
  figures: ['deliveries-recorded', 'deliveries-recorded-serial'],
  async *measure(wanted, settings) {
    await using receiver = disposable(await startReceiverProcess())
    const location = settings.workspace.directory('delivery')
    const request = await buildSubscribers(location, receiver.url)
    await using house = await House.open(location, receiver)
    await using raw = new RawUndici(receiver.url, { ca: receiver.ca, connections: HOST_LIMIT })
    for (const [name, clients] of FIGURES) {
      if (!wanted.has(name)) continue
      const samples = await alternate(
        {
          ours: () => house.deliver(settings.deliveries, { clients }),
          raw: () => raw.send(settings.deliveries, request),
        },
        settings,
      )
      const peer = { what: `raw undici, ${HOST_LIMIT} connections`, value: median(samples.raw) }
      yield figureOf({ name, unit: 'deliveries/s', samples: samples.ours, peer })
    }
  },
}

/** With how many transactions of the application at once. */
const FIGURES = [
  ['deliveries-recorded', 64],
  ['deliveries-recorded-serial', 1],
] as const

const GOALS: Readonly<Record<string, Goal>> = { 'deliveries-recorded': { atLeast: 2000 } }

function figureOf(measured: Omit<Figure, 'value' | 'goal'>): Figure {
  const goal = GOALS[measured.name]
  return { ...measured, value: median(measured.samples), ...(goal && { goal }) }
}

const HOST_LIMIT = 16
const SITES = 8
const EMPLOYEES_PER_SITE = 8
const PATIENCE_MS = 60_000

/** A database that delivers to the receiver, and counts what became of it. */
class House {
  readonly #database: Database
  readonly #receiver: ReceiverProcess
  readonly #succeeded = new Set<string>()
  readonly #failures: unknown[]

  static async open(location: string, receiver: ReceiverProcess): Promise<House> {
    const failures: unknown[] = []
    const database = await Database.open(location, {
      webhooks: {
        dispatch: 'recommended',
        destinations: { allow: ['127.0.0.1'] },
        ca: [receiver.ca],
      },
      onError: (error) => failures.push(error),
    })
    return new House(database, receiver, failures)
  }

  private constructor(database: Database, receiver: ReceiverProcess, failures: unknown[]) {
    this.#database = database
    this.#receiver = receiver
    this.#failures = failures
    const { registry } = database
    registry.registerHandler(({ messageId }) => this.#succeeded.add(messageId), {
      for: [IWebhookDeliveryAttempt, IWebhookDeliveryAttemptSucceededEvent],
    })
    registry.registerHandler(({ message }) => failures.push(message), {
      for: [IWebhookDeliveryAttempt, IWebhookDeliveryAttemptFailedEvent],
    })
  }

  /** Makes so many events, waits until all deliveries are recorded. @returns how many a second. */
  async deliver(count: number, { clients }: { readonly clients: number }): Promise<number> {
    const { webhooks } = this.#database
    const receivedBefore = await this.#receiver.count()
    this.#succeeded.clear()
    let left = count
    const startMs = performance.now()
    await inParallel(clients, async (client) => {
      for (let turn = client; left-- > 0; turn += clients) await this.#modify(turn)
    })
    await this.#allRecorded()
    const elapsedMs = performance.now() - startMs
    if (this.#failures.length > 0)
      throw new Error('A delivery failed', { cause: this.#failures[0] })
    verify('the number of deliveries left', webhooks.pending, 0)
    verify('the number of recorded successes', this.#succeeded.size, count)
    verify('the number of requests', (await this.#receiver.count()) - receivedBefore, count)
    await this.#verifyRecorded()
    return (count * 1000) / elapsedMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.close()
  }

  /** A delivery that is never recorded fails the run, and does not hang it. */
  async #allRecorded(): Promise<void> {
    const { webhooks } = this.#database
    let alarm: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      const fail = (): void => {
        const [first] = this.#failures
        const left = `${webhooks.pending} deliveries left, ${this.#succeeded.size} recorded`
        reject(new Error(`After ${PATIENCE_MS} ms: ${left}`, { cause: first }))
      }
      alarm = setTimeout(fail, PATIENCE_MS)
    })
    try {
      await Promise.race([webhooks.waitForPendingDeliveries(), late])
    } finally {
      clearTimeout(alarm)
    }
  }

  /** Sites take turns; 64 clients never change the same employee. */
  #modify(turn: number): Promise<void> {
    const path = `${siteAt(turn % SITES)}/${STAFF}`
    const place = Math.floor(turn / SITES) % EMPLOYEES_PER_SITE
    return this.#database.transaction(({ root }) => {
      const folder = traverse(root, path, Folder) as Folder<Employee>
      const employee = folder.getItem(staffName(place))
      employee.salary++
      modified(employee, { attributes: ['salary'] })
    })
  }

  /** All attempts that the histories still hold. */
  #verifyRecorded(): Promise<void> {
    return this.#database.view(({ root }) => {
      for (let site = 0; site < SITES; site++) {
        for (const attempt of attemptsOf(traverse(root, siteAt(site), Site))) {
          verify('the status of an attempt', attempt.status, 'successful')
        }
      }
    })
  }
}

function* attemptsOf(site: Site): Generator<IWebhookDeliveryAttempt> {
  const manager = site.siteManager.default.getItem('WebhookSubscriptionManager')
  for (const subscription of (manager as WebhookSubscriptionManager).values()) {
    yield* subscription.values()
  }
}

function siteAt(number: number): string {
  return `${NWS}/${siteName(number)}`
}

function siteName(number: number): string {
  return `site-${number}`
}

/** @returns the request of one delivery, as it would be sent. */
async function buildSubscribers(location: string, receiverUrl: string): Promise<OutgoingRequest> {
  const transport = new RecordingTransport()
  await using database = await Database.open(location, {
    webhooks: { dispatch: 'recommended', transport },
  })
  await buildOffices(database)
  for (let site = 0; site < SITES; site++) {
    await database.transaction(({ root }) => {
      traverse(root, NWS, Folder).set(siteName(site), new Site())
    })
    await buildStaff(database, { path: siteAt(site), name: STAFF, count: EMPLOYEES_PER_SITE })
    await database.transaction(({ root }) => {
      const to = `${receiverUrl}hook-${site}`
      const terms = { to, for: Employee, when: IObjectModifiedEvent }
      subscribeToResource(traverse(root, siteAt(site), Site), terms)
    })
  }
  await database.transaction(({ root }) => {
    modified(traverse(root, `${siteAt(0)}/${STAFF}/${staffName(0)}`))
  })
  await database.webhooks.waitForPendingDeliveries()
  verify('the number of deliveries of one event', transport.requests.length, 1)
  return transport.requests[0] as OutgoingRequest
}

const STAFF = 'employees'

function disposable(receiver: ReceiverProcess): ReceiverProcess & AsyncDisposable {
  return Object.assign(receiver, { [Symbol.asyncDispose]: () => receiver.close() })
}
