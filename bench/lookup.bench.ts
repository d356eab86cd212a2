import {
  Contained,
  Database,
  type DatabaseContext,
  defineInterface,
  IObjectAddedEvent,
  IObjectModifiedEvent,
  IObjectRemovedEvent,
  ObjectModifiedEvent,
  type ResourceSubscriptionOptions,
  Site,
  stored,
  subscribeToResource,
  traverse,
} from '../lib/index.js'
import { activeSubscriptionsFor } from '../lib/webhooks/index.js'
import type { Figure, Goal } from './figure.js'
import { BOB, buildOffices, Employee, SITES } from './fixtures.js'
import { alternate, median, medianSpan, spanOf, timePerCall, verify } from './harness.js'
import type { Settings, Subject } from './subject.js'

/**
 * Which subscriptions an event concerns: three, one in each of three sites, beside few and many
 * others. The peer of the many are the few.
 */
export const lookup: Subject = {
  name: 'lookup',
  figures: ['lookup-warm-300', 'lookup-warm-30000', 'lookup-cold-300', 'lookup-cold-30000'],
  async *measure(wanted, settings) {
    await using few = await Subscribed.build(300, settings)
    await using many = await Subscribed.build(30_000, settings)
    for (const kind of ['warm', 'cold'] as const) {
      const [nameOfFew, nameOfMany] = [`lookup-${kind}-300`, `lookup-${kind}-30000`]
      if (!wanted.has(nameOfFew) && !wanted.has(nameOfMany)) continue
      const samples = await alternate(
        {
          few: () => few[kind](settings),
          many: () => many[kind](settings),
        },
        settings,
      )
      const value = median(samples.few)
      if (wanted.has(nameOfFew)) {
        yield { name: nameOfFew, value, unit: 'µs', samples: samples.few }
      }
      if (wanted.has(nameOfMany)) {
        const peer = { what: nameOfFew, value }
        yield figureOf({ name: nameOfMany, unit: 'µs', samples: samples.many, peer })
      }
    }
  },
}

const GOALS: Readonly<Record<string, Goal>> = {
  'lookup-warm-30000': { atMost: 1, ratioAtMost: 1.2 },
}

function figureOf(measured: Omit<Figure, 'value' | 'goal'>): Figure {
  const goal = GOALS[measured.name]
  return { ...measured, value: median(measured.samples), ...(goal && { goal }) }
}

/** A database with subscriptions. */
class Subscribed {
  readonly #database: Database

  static async build(others: number, { workspace }: Settings): Promise<Subscribed> {
    // Nothing kept in the pool: each view has a new connection.
    const database = await Database.open(workspace.directory('lookup'), { poolSize: 0 })
    await buildOffices(database)
    await subscribe(database, others)
    return new Subscribed(database)
  }

  private constructor(database: Database) {
    this.#database = database
  }

  /** µs, after the first in the same view. */
  warm({ roundMs }: Settings): Promise<number> {
    return this.#database.view((context) => {
      const look = lookupIn(context)
      verifyFound(look())
      return timePerCall(look, roundMs)
    })
  }

  /** µs, for the first of a new connection. Decoded states stay in the shared cache. */
  cold({ roundMs }: Settings): Promise<number> {
    return medianSpan(() => this.#database.view(coldSpan), roundMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.close()
  }
}

function coldSpan(context: DatabaseContext): number {
  const look = lookupIn(context)
  let found: readonly object[] = []
  const span = spanOf(() => {
    found = look()
  })
  verifyFound(found)
  return span
}

function lookupIn({ root, connection }: DatabaseContext): () => readonly object[] {
  const bob = traverse(root, BOB)
  const event = new ObjectModifiedEvent(bob)
  return () => activeSubscriptionsFor(bob, event, connection)
}

function verifyFound(found: readonly object[]): void {
  verify('the number of subscriptions found', found.length, SITES.length)
}

/** One that matches and a third of the others in each site. */
async function subscribe(database: Database, others: number): Promise<void> {
  await database.transaction(({ root }) => {
    for (const path of SITES) {
      const terms = { to: TARGET, for: Employee, when: IObjectModifiedEvent }
      subscribeToResource(traverse(root, path, Site), terms)
    }
  })
  for (let first = 0; first < others; first += PER_TRANSACTION) {
    await database.transaction(({ root }) => {
      const sites = SITES.map((path) => traverse(root, path, Site))
      for (let i = first; i < Math.min(first + PER_TRANSACTION, others); i++) {
        const site = sites[i % sites.length] as Site
        subscribeToResource(site, otherTerms(Math.floor(i / sites.length)))
      }
    })
  }
}

const PER_TRANSACTION = 1000
const TARGET = 'https://example.com/hook'

@stored('bench.Visitor')
class Visitor extends Contained {}

const OTHER_KINDS = Array.from({ length: 40 }, (_, i) => defineInterface(`bench.IKind${i}`))

/** In turn: another class, other interfaces, other events of the same class, other in both. */
function otherTerms(i: number): ResourceSubscriptionOptions {
  const kind = OTHER_KINDS[i % OTHER_KINDS.length]!
  const terms: readonly Omit<ResourceSubscriptionOptions, 'to'>[] = [
    { for: Visitor, when: IObjectModifiedEvent },
    { for: kind, when: IObjectModifiedEvent },
    { for: Employee, when: IObjectAddedEvent },
    { for: kind, when: IObjectRemovedEvent },
  ]
  return { to: TARGET, ...terms[i % terms.length] }
}
