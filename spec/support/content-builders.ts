import {
  type ComponentRegistry,
  type IObjectEvent,
  registryScope,
} from '../../lib/component/index.js'
import {
  Contained,
  databaseRegistry,
  Folder,
  IObjectCreatedEvent,
  IObjectModifiedEvent,
  IObjectMovedEvent,
  installRootFolder,
  nameOf,
  type ObjectMovedEvent,
  type RootFolder,
  rootFolderOf,
  Site,
} from '../../lib/content/index.js'
import {
  type Connection,
  field,
  ObjectDatabase,
  type ObjectDatabaseOptions,
  stored,
} from '../../lib/persistence/index.js'
import { createMemoryDatabase, createMemoryStorage } from '../../lib/storage/index.js'
import type { RunOptions } from '../../lib/transaction/index.js'

/** What most folders of these specs hold. */
@stored('content-spec.Employee')
export class Employee extends Contained {
  @field accessor title = ''
}

interface TreeContext {
  readonly root: RootFolder
  readonly connection: Connection
}

/** An object database with a root folder, whose transactions use its registry: this layer alone. */
export class TreeDatabase {
  readonly objects: ObjectDatabase
  readonly registry: ComponentRegistry

  static async open(location: string, options: ObjectDatabaseOptions = {}): Promise<TreeDatabase> {
    const objects = await ObjectDatabase.open(location, options)
    await objects.transaction(({ rootMapping }) => installRootFolder(rootMapping))
    return new TreeDatabase(objects)
  }

  private constructor(objects: ObjectDatabase) {
    this.objects = objects
    this.registry = databaseRegistry(objects)
    opened.push(this)
  }

  transaction<T>(
    fn: (context: TreeContext) => T | PromiseLike<T>,
    options: RunOptions = {},
  ): Promise<T> {
    return this.objects.transaction(this.#inTree(fn), options)
  }

  view<T>(fn: (context: TreeContext) => T | PromiseLike<T>): Promise<T> {
    return this.objects.view(this.#inTree(fn))
  }

  close(): Promise<void> {
    return this.objects.close()
  }

  #inTree<T>(fn: (context: TreeContext) => T) {
    return ({ connection }: { readonly connection: Connection }): T =>
      registryScope.run(this.registry, () => fn({ connection, root: rootFolderOf(connection) }))
  }
}

const opened: TreeDatabase[] = []

/** For `afterEach`. */
export async function closeDatabases(): Promise<void> {
  for (const db of opened.splice(0)) await db.close()
}

/** A place in memory that can be opened again after it was closed. */
export function aMemoryPlace(): () => Promise<TreeDatabase> {
  const database = createMemoryDatabase()
  return () => TreeDatabase.open('', { storage: createMemoryStorage({ database }) })
}

/** A new database in memory; `closeDatabases` ends it. */
export function aDatabase(): Promise<TreeDatabase> {
  return aMemoryPlace()()
}

/** `/NOAA/NWS/OUN/employees/Bob`: three sites, a folder, an employee. */
export async function anOffice(): Promise<TreeDatabase> {
  const db = await aDatabase()
  await db.transaction(({ root }) => {
    const oun = root.set('NOAA', new Site()).set('NWS', new Site()).set('OUN', new Site())
    oun.set('employees', new Folder()).set('Bob', new Employee())
  })
  return db
}

/** A database whose root holds what `fill` puts there. */
export async function aDatabaseWith(fill: (root: RootFolder) => void): Promise<TreeDatabase> {
  const db = await aDatabase()
  await db.transaction(({ root }) => fill(root))
  return db
}

/** Calls `fn` with an empty root folder in a transaction, and gives what it gives. */
export async function inTransaction<T>(fn: (root: RootFolder, db: TreeDatabase) => T): Promise<T> {
  const db = await aDatabase()
  return db.transaction(({ root }) => fn(root, db))
}

/** Writes down `event of object's name`, in the order in which `registry` delivers. */
export function listen(registry: ComponentRegistry): string[] {
  const log: string[] = []
  for (const kind of [IObjectCreatedEvent, IObjectMovedEvent, IObjectModifiedEvent]) {
    registry.registerHandler((event: IObjectEvent) => void log.push(told(event)), { for: [kind] })
  }
  return log
}

function told(event: IObjectEvent): string {
  return `${event.constructor.name} of ${nameOf(event.object as object) ?? 'the root'}`
}

/** The places that moved events tell: `/a old -> /b new`. */
export function listenToPlaces(registry: ComponentRegistry): string[] {
  const log: string[] = []
  registry.registerHandler(
    (event) => {
      const { oldParent, oldName, newParent, newName } = event as ObjectMovedEvent
      log.push(`${place(oldParent, oldName)} -> ${place(newParent, newName)}`)
    },
    { for: [IObjectMovedEvent] },
  )
  return log
}

function place(parent: unknown, name: string | undefined): string {
  if (parent === undefined && name === undefined) return 'nowhere'
  return `${nameOf(parent as object) ?? 'root'}/${name}`
}

/**
 * Two transactions that do not see each other: `late` has done its work when `early` begins, and
 * commits after it, without a second try.
 */
export async function race(
  db: TreeDatabase,
  early: (root: RootFolder) => void,
  late: (root: RootFolder) => void,
): Promise<void> {
  let worked = (): void => {}
  let mayCommit = (): void => {}
  const hasWorked = new Promise<void>((resolve) => (worked = resolve))
  const earlyCommitted = new Promise<void>((resolve) => (mayCommit = resolve))
  const losing = db.transaction(
    async ({ root }) => {
      try {
        late(root)
      } finally {
        worked()
      }
      await earlyCommitted
    },
    { tries: 1 },
  )
  const outcome = losing.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  await hasWorked
  await db.transaction(({ root }) => early(root))
  mayCommit()
  const failed = await outcome
  if (failed !== undefined) throw failed.error
}

/** The code of what `fn` throws; `'nothing'` when it does not. */
export function codeOfThrown(fn: () => unknown): unknown {
  try {
    fn()
  } catch (error) {
    return (error as { readonly code?: unknown }).code ?? error
  }
  return 'nothing'
}
