import {
  globalRegistry,
  providedBy,
  type RegistrationTable,
  type Specification,
  specificationStamp,
} from '../component/index.js'
import {
  currentSite,
  databaseRegistry,
  type ISite,
  parentOf,
  type Site,
  siteOf,
} from '../content/index.js'
import { type Connection, connectionOf } from '../persistence/index.js'
import { IWebhookSubscriptionManager } from './interfaces.js'
import type { PersistentSubscription } from './subscription.js'
import { WebhookSubscriptionManager } from './subscription-manager.js'

/**
 * The active subscriptions that an event concerns: of every manager in the hierarchy of the active
 * site, then in that of the object, each manager once, whatever its name.
 *
 * Remembered for each connection, kind of object and kind of event. An answer names the trees it was
 * taken from with their stamps, so one that might be old is never given: neither after a commit of
 * others, nor inside a transaction that changed one of them itself.
 *
 * Source: `nti.webhooks.subscribers.find_active_subscriptions_for`, which misses named managers of
 * sites further up and the sites above the active one.
 */
export function activeSubscriptionsFor(
  object: object,
  event: object,
  connection: Connection,
): readonly PersistentSubscription[] {
  const nearest = siteOf(object)
  const active = currentSite()
  const byKind = answersAt(connection, nearest, active)
  const kind = providedBy(object)
  const trigger = providedBy(event)
  const known = byKind.get(kind)?.get(trigger)
  if (known !== undefined && isCurrent(known, nearest, active, connection)) {
    return known.subscriptions
  }
  const answer = gather(object, event, nearest, active, connection)
  remember(byKind, kind, trigger, answer)
  return answer.subscriptions
}

/** What was found, and what it was taken from. */
interface Answer {
  readonly subscriptions: readonly PersistentSubscription[]
  /** From the object's site up, then from the active one up. */
  readonly sites: readonly object[]
  readonly tables: readonly (readonly [table: RegistrationTable, stamp: unknown])[]
  readonly indexes: readonly (readonly [
    index: WebhookSubscriptionManager['index'],
    stamp: unknown,
  ])[]
  readonly specificationStamp: unknown
}

type AnswersByKind = Map<Specification, Map<Specification, Answer>>

/** Connection → nearest site → active site → answers. */
const answers = new WeakMap<Connection, WeakMap<object, WeakMap<object, AnswersByKind>>>()
/** In place of no site. */
const NOWHERE = {}
const MAX_KINDS = 1000

function answersAt(
  connection: Connection,
  nearest: ISite | undefined,
  active: ISite | undefined,
): AnswersByKind {
  const ofConnection = entry(answers, connection, () => new WeakMap())
  const ofNearest = entry(ofConnection, nearest ?? NOWHERE, () => new WeakMap())
  return entry(ofNearest, active ?? NOWHERE, () => new Map())
}

function entry<K extends object, V>(map: WeakMap<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

function remember(
  byKind: AnswersByKind,
  kind: Specification,
  trigger: Specification,
  answer: Answer,
): void {
  const stamps = [...answer.tables, ...answer.indexes]
  if (stamps.some(([, stamp]) => stamp === undefined)) return
  if (byKind.size >= MAX_KINDS) byKind.clear()
  const byTrigger = byKind.get(kind)
  if (byTrigger === undefined) byKind.set(kind, new Map([[trigger, answer]]))
  else byTrigger.set(trigger, answer)
}

function isCurrent(
  answer: Answer,
  nearest: ISite | undefined,
  active: ISite | undefined,
  connection: Connection,
): boolean {
  if (answer.specificationStamp !== specificationStamp()) return false
  let position = 0
  for (let site = nearest; site !== undefined; site = siteAbove(site)) {
    if (answer.sites[position++] !== site) return false
  }
  for (let site = active; site !== undefined; site = siteAbove(site)) {
    if (answer.sites[position++] !== site) return false
  }
  if (position !== answer.sites.length) return false
  for (const [table, stamp] of answer.tables) if (table.stamp !== stamp) return false
  for (const [index, stamp] of answer.indexes) {
    if (stampOf(index, connection) !== stamp) return false
  }
  return true
}

function gather(
  object: object,
  event: object,
  nearest: ISite | undefined,
  active: ISite | undefined,
  connection: Connection,
): Answer {
  const ofObject = [...sitesFrom(nearest)]
  const ofActive = [...sitesFrom(active)]
  const shared = [databaseRegistry(connection.database).table, globalRegistry.table]
  const tables = [...new Set([...ofActive, ...ofObject].map(tableOf)), ...shared]
  const managers = new Set<WebhookSubscriptionManager>()
  for (const table of tables) {
    const rows = table.candidates({
      kind: 'utility',
      required: [],
      provided: IWebhookSubscriptionManager,
    })
    for (const { component } of rows) {
      if (component instanceof WebhookSubscriptionManager) managers.add(component)
    }
  }
  const subscriptions = new Set<PersistentSubscription>()
  for (const manager of managers) {
    for (const found of manager.activeSubscriptions(object, event)) subscriptions.add(found)
  }
  return {
    subscriptions: [...subscriptions],
    sites: [...ofObject, ...ofActive],
    tables: tables.map((table) => [table, table.stamp]),
    indexes: [...managers].map(({ index }) => [index, stampOf(index, connection)]),
    specificationStamp: specificationStamp(),
  }
}

/** None for a manager that this transaction made: nobody else knows its tree yet. */
function stampOf(index: WebhookSubscriptionManager['index'], connection: Connection): unknown {
  return connectionOf(index) === connection ? connection.treeStamp(index) : undefined
}

function* sitesFrom(site: ISite | undefined): Generator<ISite, void, undefined> {
  for (let at = site; at !== undefined; at = siteAbove(at)) yield at
}

function siteAbove(site: ISite): ISite | undefined {
  const parent = parentOf(site)
  return parent === undefined ? undefined : siteOf(parent)
}

function tableOf(site: ISite): RegistrationTable {
  return (site as Site).siteManager.registry.table
}
