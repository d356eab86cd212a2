import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Clock,
  Contained,
  Database,
  type DatabaseContext,
  type DatabaseOptions,
  type DeliveryOptions,
  type DispatchSet,
  defineInterface,
  Folder,
  field,
  IExternalObject,
  IPossibleWebhookPayload,
  type IWebhookDeliveryAttempt,
  implementer,
  modified,
  nameOf,
  type PersistentSubscription,
  pathOf,
  plain,
  type ResourceSubscriptionOptions,
  Site,
  stored,
  subscribeToResource,
  traverse,
  type WebhookSubscriptionManager,
} from '../../lib/index.js'
import { createMemoryDatabase, createMemoryStorage } from '../../lib/storage/index.js'
import { FakeClock, RecordingTransport } from '../../lib/testing/index.js'
import { runOutsideTransactionScope } from '../../lib/transaction/index.js'
import { outboxOf } from '../../lib/webhooks/index.js'

export const HOOK = 'https://example.com/hook'

export const INamed = defineInterface('spec.webhooks.INamed')

/** Says its name and place to the world. */
@stored('spec.webhooks.Employee')
@implementer(IPossibleWebhookPayload, IExternalObject, INamed)
export class Employee extends Contained implements IExternalObject {
  @field accessor title = ''

  toExternalObject(): unknown {
    return { name: nameOf(this), title: this.title, path: pathOf(this) }
  }
}

@stored('spec.webhooks.Manager')
export class Manager extends Employee {}

/** No possible payload. */
@stored('spec.webhooks.Desk')
export class Desk extends Contained {
  @field accessor number = 0
}

export interface WebhookDatabaseOptions
  extends Omit<DatabaseOptions, 'webhooks' | 'storage' | 'clock'> {
  readonly dispatch?: DispatchSet
  readonly webhooks?: DeliveryOptions
  /** A directory. Default: memory. */
  readonly location?: string
  /** Rows in memory that another database left. */
  readonly memory?: ReturnType<typeof createMemoryDatabase>
  readonly clock?: Clock
  readonly transport?: RecordingTransport
}

export interface WebhookDatabase {
  readonly db: Database
  readonly transport: RecordingTransport
  /** The one given, when one was. */
  readonly clock: FakeClock
}

const toEnd: (() => Promise<void>)[] = []

/** For `afterEach`: closes what the builders opened, and removes their directories. */
export async function endAll(): Promise<void> {
  for (const end of toEnd.splice(0).reverse()) await end()
}

/** To be ended by `endAll`. */
export function ending<T extends { close(): Promise<void> }>(closable: T): T {
  toEnd.push(() => closable.close())
  return closable
}

export async function aDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'treehook-webhooks-'))
  toEnd.push(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A database that sends to a recording transport, on a clock that stands still. */
export async function aWebhookDatabase({
  dispatch = 'recommended',
  webhooks = {},
  location,
  memory = createMemoryDatabase(),
  clock = new FakeClock(),
  transport = new RecordingTransport({ clock }),
  ...options
}: WebhookDatabaseOptions = {}): Promise<WebhookDatabase> {
  const db = await Database.open(location ?? 'memory', {
    ...(location === undefined && { storage: createMemoryStorage({ database: memory }) }),
    durability: 'relaxed',
    clock,
    webhooks: { transport, random: () => 0.5, ...webhooks, dispatch },
    ...options,
  })
  return { db: ending(db), transport, clock: clock as FakeClock }
}

/** The sites /NOAA/NWS/OUN, in OUN the folder `employees`, in that Bob. */
export async function anOffice(options: WebhookDatabaseOptions = {}): Promise<WebhookDatabase> {
  const opened = await aWebhookDatabase(options)
  await opened.db.transaction(({ root }) => makeOffice(root))
  return opened
}

export function makeOffice(root: DatabaseContext['root']): void {
  const noaa = root.set('NOAA', new Site())
  const nws = noaa.set('NWS', new Site())
  const oun = nws.set('OUN', new Site())
  const employees = oun.set('employees', new Folder())
  employees.set('Bob', new Employee())
}

export const OUN = '/NOAA/NWS/OUN'
export const EMPLOYEES = `${OUN}/employees`
export const BOB = `${EMPLOYEES}/Bob`
export const MANAGER = `${OUN}/++etc++site/default/WebhookSubscriptionManager`
export const SUBSCRIPTION = `${MANAGER}/PersistentSubscription`

/** An office with one subscription, to employees of OUN. */
export async function aSubscribedOffice({
  subscription,
  ...options
}: WebhookDatabaseOptions & {
  readonly subscription?: Partial<ResourceSubscriptionOptions>
} = {}): Promise<WebhookDatabase> {
  const opened = await anOffice(options)
  await subscribe(opened.db, OUN, subscription)
  return opened
}

/** Subscribes at `path`. @returns the subscription's path. */
export function subscribe(
  db: Database,
  path: string = OUN,
  options: Partial<ResourceSubscriptionOptions> = {},
): Promise<string> {
  return db.transaction(({ root }) =>
    pathOf(subscribeToResource(traverse(root, path), { to: HOOK, for: Employee, ...options })),
  )
}

/** Gives Bob a title, and tells. */
export function promote(db: Database, title = 'Senior', path: string = BOB): Promise<void> {
  return db.transaction(({ root }) => promoteIn(root, title, path))
}

export function promoteIn(root: DatabaseContext['root'], title: string, path: string = BOB): void {
  const bob = traverse(root, path, Employee)
  bob.title = title
  modified(bob)
}

export function subscriptionIn(
  root: DatabaseContext['root'],
  path: string = SUBSCRIPTION,
): PersistentSubscription {
  return traverse(root, path) as PersistentSubscription
}

export function managerIn(
  root: DatabaseContext['root'],
  path: string = MANAGER,
): WebhookSubscriptionManager {
  return traverse(root, path) as WebhookSubscriptionManager
}

/** An attempt, as plain data. */
export type AttemptData = Pick<
  IWebhookDeliveryAttempt,
  | 'status'
  | 'resolution'
  | 'message'
  | 'messageId'
  | 'payload'
  | 'tries'
  | 'dueAtMs'
  | 'request'
  | 'response'
  | 'origin'
  | 'errorHistory'
  | 'createdAtMs'
> & { readonly name: string }

export function dataOf(name: string, attempt: IWebhookDeliveryAttempt): AttemptData {
  const { status, resolution, message, messageId, payload, dueAtMs, createdAtMs } = attempt
  return {
    ...{ name, status, resolution, message, messageId, payload, dueAtMs, createdAtMs },
    tries: plain(attempt.tries),
    request: plain(attempt.request),
    response: plain(attempt.response),
    origin: plain(attempt.origin),
    errorHistory: plain(attempt.errorHistory),
  }
}

/** The attempts of a subscription, oldest first. */
export function attemptsOf(db: Database, path: string = SUBSCRIPTION): Promise<AttemptData[]> {
  return db.view(({ root }) =>
    [...subscriptionIn(root, path).entries()].map(([name, attempt]) => dataOf(name, attempt)),
  )
}

/** The only attempt of a subscription. */
export async function theAttempt(db: Database, path: string = SUBSCRIPTION): Promise<AttemptData> {
  const attempts = await attemptsOf(db, path)
  if (attempts.length !== 1) throw new Error(`There are ${attempts.length} attempts, not one`)
  return attempts[0] as AttemptData
}

/** The payload of each request, as data. */
export function bodiesOf({ requests }: RecordingTransport): unknown[] {
  return requests.map(({ body }) => JSON.parse(String(body)))
}

/** How many attempts the outbox has. */
export function outboxSize(db: Database): Promise<number> {
  return db.view(({ connection }) => outboxOf(connection).size)
}

/** Calls `fn` as if by somebody else: in no transaction, although called from inside one. */
export function elsewhere<T>(fn: () => T): T {
  return runOutsideTransactionScope(fn)
}
