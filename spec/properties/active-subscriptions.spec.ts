import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type Connection,
  type Contained,
  Container,
  IAny,
  type Interface,
  IObjectEvent,
  IObjectModifiedEvent,
  ISite,
  IWebhookSubscriptionManager,
  ObjectAddedEvent,
  ObjectModifiedEvent,
  PersistentSubscription,
  parentOf,
  providedBy,
  type RootFolder,
  runInSite,
  Site,
  subscribeToResource,
  WebhookSubscriptionManager,
} from '../../lib/index.js'
import { activeSubscriptionsFor } from '../../lib/webhooks/index.js'
import {
  aWebhookDatabase,
  Desk,
  Employee,
  elsewhere,
  endAll,
  HOOK,
  INamed,
  Manager,
} from '../support/webhooks-builders.js'

afterEach(endAll)

const KINDS = [Employee, Manager, INamed, Desk, IAny] as const
const EVENTS: readonly Interface[] = [IObjectEvent, IObjectModifiedEvent]

type Action =
  | {
      readonly type: 'subscribe'
      readonly site: number
      readonly kind: number
      readonly event: number
    }
  | { readonly type: 'deactivate' | 'activate' | 'remove'; readonly which: number }
  | { readonly type: 'moveSite' | 'moveObject'; readonly from: number; readonly to: number }
  | { readonly type: 'look' }

const index = fc.nat({ max: 20 })
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('subscribe' as const),
      site: index,
      kind: index,
      event: index,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constantFrom('deactivate' as const, 'activate' as const, 'remove' as const),
      which: index,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('moveSite' as const, 'moveObject' as const),
      from: index,
      to: index,
    }),
  },
  { weight: 3, arbitrary: fc.constant({ type: 'look' as const }) },
)
/** A transaction: what it does, and how it ends. Some begin while another one is running. */
const transaction = fc.record({
  actions: fc.array(action, { maxLength: 6 }),
  commits: fc.boolean(),
  inside: fc.boolean(),
  fresh: fc.boolean(),
})

describe('Active subscriptions', () => {
  test('are those of a naive search, whatever was changed, committed or aborted before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(transaction, { minLength: 2, maxLength: 10 }),
        async (transactions) => {
          const { db } = await aWebhookDatabase({ dispatch: 'none' })
          try {
            await db.transaction(({ root }) => {
              const a = root.set('a', new Site())
              const b = a.set('b', new Site())
              b.set('c', new Site()).set('Eve', new Employee())
              root.set('d', new Site()).set('e', new Site()).set('desk', new Desk())
              a.set('Max', new Manager())
            })
            for (const { actions, commits, inside, fresh } of transactions) {
              if (fresh) db.cacheClear()
              const change = () =>
                db
                  .transaction(
                    ({ root, connection }) => {
                      for (const one of actions) apply(one, root, connection)
                      if (!commits) throw new Error('aborted')
                    },
                    { backoffMs: () => 0 },
                  )
                  .catch((error: unknown) => {
                    if ((error as Error).message !== 'aborted') throw error
                  })
              if (inside) {
                // A reader from before sees what was, during and after the change.
                await db.view(async ({ root, connection }) => {
                  compareAll(root, connection)
                  await elsewhere(change)
                  compareAll(root, connection)
                })
              } else await change()
              await db.view(({ root, connection }) => compareAll(root, connection))
            }
          } finally {
            await db.close()
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

function apply(one: Action, root: RootFolder, connection: Connection): void {
  const sites = [...below(root)].filter((at): at is Site => at instanceof Site)
  const subscriptions = [...below(root)].filter(
    (at): at is PersistentSubscription => at instanceof PersistentSubscription,
  )
  const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % list.length]
  if (one.type === 'look') {
    compareAll(root, connection)
  } else if (one.type === 'subscribe') {
    const site = pick(sites, one.site) as Site
    const kind = pick(KINDS, one.kind) as Interface
    const when = pick(EVENTS, one.event) as Interface
    subscribeToResource(site, { to: HOOK, for: kind, when })
  } else if ('from' in one) {
    const isSite = one.type === 'moveSite'
    const movable = [...below(root)].filter((at) =>
      isSite ? at instanceof Site : at instanceof Employee || at instanceof Desk,
    )
    const item = pick(movable, one.from) as Contained
    const targets = sites.filter((site) => ![...lineageOf(site)].includes(item))
    const target = pick([root, ...targets], one.to) as Container
    const { __parent__: parent, __name__: name } = item
    if (parent === target || target.has(name as string)) return
    target.set(name as string, item)
    ;(parent as Container).delete(name as string)
  } else {
    const subscription = pick(subscriptions, one.which)
    if (subscription === undefined) return
    const manager = parentOf(subscription) as WebhookSubscriptionManager
    if (one.type === 'activate') manager.activateSubscription(subscription)
    else if (one.type === 'deactivate') manager.deactivateSubscription(subscription)
    else manager.delete(subscription.__name__ as string)
  }
}

function compareAll(root: RootFolder, connection: Connection): void {
  const everything = [...below(root)]
  const sites = [undefined, ...everything.filter((at): at is Site => at instanceof Site)]
  for (const object of everything) {
    if (!(object instanceof Employee || object instanceof Desk)) continue
    const events = [
      new ObjectModifiedEvent(object),
      new ObjectAddedEvent(object, { parent: root, name: 'x' }),
    ]
    for (const event of events) {
      for (const site of sites) {
        const look = () => activeSubscriptionsFor(object, event, connection)
        const found = site === undefined ? look() : runInSite(site, look)
        expect(new Set(found)).toEqual(new Set(naive(object, event, site)))
        expect(new Set(found).size).toBe(found.length)
      }
    }
  }
}

/** By walking up from the object and the active site, and looking at every subscription there. */
function naive(object: object, event: object, active: Site | undefined): PersistentSubscription[] {
  const found: PersistentSubscription[] = []
  const sites = new Set([...lineageOf(object), ...(active ? lineageOf(active) : [])])
  for (const site of sites) {
    if (!ISite.providedBy(site)) continue
    for (const item of (site as Site).siteManager.default.values()) {
      if (!(item instanceof WebhookSubscriptionManager)) continue
      expect(IWebhookSubscriptionManager.providedBy(item)).toBe(true)
      for (const one of item.values()) {
        const isMatch =
          one.active &&
          providedBy(object).extendsOrIs(one.for) &&
          providedBy(event).extendsOrIs(one.when)
        if (isMatch) found.push(one)
      }
    }
  }
  return found
}

function* lineageOf(object: object): Generator<object> {
  for (let at: object | undefined = object; at !== undefined; at = parentOf(at)) yield at
}

function* below(object: object): Generator<object> {
  yield object
  if (object instanceof Site) yield* below(object.siteManager)
  if (object instanceof Container) for (const item of object.values()) yield* below(item)
}
