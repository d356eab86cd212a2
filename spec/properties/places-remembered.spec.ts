import { afterEach, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type ComponentRegistry, registryScope } from '../../lib/component/index.js'
import {
  type Contained,
  Container,
  Folder,
  ISite,
  parentOf,
  pathOf,
  queryTraverse,
  type RootFolder,
  rootFolderOf,
  Site,
  siteOf,
  walk,
} from '../../lib/content/index.js'
import { codeOf } from '../../lib/foundation/index.js'
import type { Connection } from '../../lib/persistence/index.js'
import { ExplicitTransactionManager, type Savepoint } from '../../lib/transaction/index.js'
import {
  aDatabaseWith,
  closeDatabases,
  Employee,
  type TreeDatabase,
} from '../support/content-builders.js'

// What `traverse`, `siteOf` and the registries of sites remember is never out of date: whatever two
// connections do by turns, the answers are those of a walk that remembers nothing.

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

afterEach(closeDatabases)

const NAMES = ['a', 'b', 'c']
const name = fc.constantFrom(...NAMES)
const index = fc.nat(20) // of those that are there
const who = fc.nat(1)
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      who,
      to: index,
      name,
      kind: fc.constantFrom('folder', 'site', 'employee'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('move' as const), who, item: index, to: index, name }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), who, item: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('savepoint' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rollback' as const), who, to: fc.nat(9) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('commit' as const), who, isSeen: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('minimize' as const), who }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never
type Change = Extract<Step, { do: 'set' | 'move' | 'delete' }>

/** One who works by hand, over and over in new transactions. */
class Worker {
  readonly #db: TreeDatabase
  readonly #manager = new ExplicitTransactionManager()
  readonly #connection: Connection
  #savepoints: Savepoint[] = []
  readonly #paths = new Set<string>() // that ever led somewhere

  constructor(db: TreeDatabase) {
    this.#db = db
    this.#connection = db.objects.connect({ transactionManager: this.#manager })
    this.#manager.begin()
  }

  get root(): RootFolder {
    return rootFolderOf(this.#connection)
  }

  async do(what: Step): Promise<void> {
    if (what.do === 'commit' || what.do === 'abort') return this.end(what.do)
    if (what.do === 'minimize') return this.#connection.cacheMinimize()
    if (what.do === 'savepoint') {
      this.#savepoints.push(this.#manager.get().savepoint() as Savepoint)
    } else if (what.do === 'rollback') {
      const at = what.to % (this.#savepoints.length || 1)
      this.#savepoints[at]?.rollback()
      this.#savepoints = this.#savepoints.slice(0, at + 1)
    } else registryScope.run(this.#db.registry, () => this.#change(what))
  }

  #change(what: Change): void {
    const items = [...everythingIn(this.root)]
    const containers = [this.root, ...items.filter((one) => one instanceof Container)]
    const item = what.do === 'set' ? made(what.kind) : items[what.item % items.length]
    if (item === undefined) return
    if (what.do === 'delete') return void takeOut(item)
    const folder = containers[what.to % containers.length] as Container
    if (!folder.has(what.name)) put(item, folder, what.name)
  }

  async end(how: 'commit' | 'abort'): Promise<void> {
    this.#savepoints = []
    try {
      await this.#manager.get()[how]()
    } catch (error) {
      if (codeOf(error) !== 'STORAGE_CONFLICT') throw error
      await this.#manager.get().abort()
    }
    this.#manager.begin()
  }

  /** All that is in the tree, and what is asked of it, against what nobody remembered. */
  check(): void {
    const { root } = this
    for (const at of this.#paths) expect(queryTraverse(root, at)).toBe(queryWalk(root, at))
    for (const object of everythingIn(root)) {
      this.#paths.add(pathOf(object))
      expect(siteOf(object)).toBe(siteByHand(object))
      if (object instanceof Site) {
        expect(object.siteManager.registry.bases).toEqual([this.#baseByHand(object)])
      }
    }
  }

  #baseByHand(site: Site): ComponentRegistry {
    const above = siteByHand(parentOf(site) as object)
    return above === undefined ? this.#db.registry : (above as Site).siteManager.registry
  }

  async stop(): Promise<void> {
    await this.#manager.get().abort()
    this.#connection.close()
  }
}

/** `/a/b/c` and `/b/a`, of which `/a` and `/b` are sites. */
function fill(root: RootFolder): void {
  root.set('a', new Site()).set('b', new Folder()).set('c', new Employee())
  root.set('b', new Site()).set('a', new Folder())
}

function made(kind: string): Folder | Employee {
  if (kind === 'site') return new Site()
  return kind === 'folder' ? new Folder() : new Employee()
}

/** Puts an item where it may be, and takes it from where it was. */
function put(item: Contained, folder: Container, itsName: string): void {
  const from = { parent: item.__parent__ as Container | undefined, name: item.__name__ as string }
  try {
    folder.set(itsName, item)
  } catch (error) {
    if (codeOf(error) === 'CONTENT_CYCLE') return
    throw error
  }
  from.parent?.delete(from.name)
}

function takeOut(item: Contained): void {
  ;(item.__parent__ as Container).delete(item.__name__ as string)
}

function queryWalk(root: RootFolder, at: string): object | undefined {
  try {
    return walk(root, at)
  } catch (error) {
    if (codeOf(error) === 'CONTENT_LOCATION') return undefined
    throw error
  }
}

function siteByHand(object: object): ISite | undefined {
  for (let at: object | undefined = object; at !== undefined; at = parentOf(at)) {
    if (ISite.providedBy(at)) return at
  }
  return undefined
}

function* everythingIn(folder: Container): Generator<Contained> {
  for (const item of folder.values()) {
    yield item
    if (item instanceof Container) yield* everythingIn(item)
  }
}

test('What is remembered of places is what a walk finds, in each of two connections', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
      async (steps) => {
        const db = await aDatabaseWith(fill)
        const workers = [new Worker(db), new Worker(db)]
        try {
          for (const one of steps) {
            await workers[one.who]!.do(one)
            if (one.do === 'commit' && one.isSeen) await workers[1 - one.who]!.end('abort')
            for (const worker of workers) worker.check()
          }
        } finally {
          for (const worker of workers) await worker.stop()
          await db.close()
        }
      },
    ),
    { seed, numRuns: 40 },
  )
}, 120_000)
