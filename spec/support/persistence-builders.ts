import { makeStandIn } from '../../lib/persistence/broken-object.js'
import {
  BTree,
  field,
  ObjectDatabase,
  type ObjectDatabaseOptions,
  Persistent,
  stored,
} from '../../lib/persistence/index.js'
import { createMemoryDatabase, createMemoryStorage } from '../../lib/storage/index.js'
import { ExplicitTransactionManager } from '../../lib/transaction/index.js'

/** What most specs store. */
@stored('spec.Employee')
export class Employee extends Persistent {
  @field accessor title = ''
  @field accessor phones: string[] = []
  @field accessor boss: Employee | undefined = undefined
  /** Any value that a field can hold. */
  @field accessor data: unknown = undefined

  constructor(state: Partial<Pick<Employee, 'title' | 'phones' | 'boss' | 'data'>> = {}) {
    super()
    Object.assign(this, state)
  }
}

/** A collection with fields of its own. */
@stored('spec.Office')
export class Office extends BTree<string, unknown> {
  @field accessor city = ''
}

/**
 * An object as a program stored it that had another class of this name, or has it no more: with these
 * values in these fields.
 */
export function anEarlierObject(
  storedName: string,
  state: Readonly<Record<string, unknown>>,
): Persistent {
  const row = { name: storedName, fields: Object.keys(state) }
  const { constructor: Earlier } = makeStandIn(row, Persistent, { isBroken: false })
  return Object.assign(new (Earlier as new () => Persistent)(), state)
}

/** A database in memory, with nothing in it. Errors without a caller are the spec's own doing. */
export function aDatabase(options: ObjectDatabaseOptions = {}): Promise<ObjectDatabase> {
  return ObjectDatabase.open('', {
    storage: createMemoryStorage(),
    onError: () => undefined,
    ...options,
  })
}

/** A place in memory that can be opened again after it was closed. */
export function aMemoryPlace(): (options?: ObjectDatabaseOptions) => Promise<ObjectDatabase> {
  const database = createMemoryDatabase()
  return (options = {}) => aDatabase({ storage: createMemoryStorage({ database }), ...options })
}

/** A database with Bob under the name `bob`. */
export async function aDatabaseWithBob(
  state: ConstructorParameters<typeof Employee>[0] = {},
  options: ObjectDatabaseOptions = {},
): Promise<ObjectDatabase> {
  const db = await aDatabase(options)
  await db.transaction(({ rootMapping }) => void rootMapping.set('bob', new Employee(state)))
  return db
}

/** Bob, as the connection of a root mapping knows him. */
export function bobOf({ rootMapping }: { rootMapping: BTree<string, Persistent> }): Employee {
  return rootMapping.get('bob') as Employee
}

/** What `read` finds in a committed Bob, from a connection and cache that know nothing yet. */
export function ofStoredBob<T>(db: ObjectDatabase, read: (bob: Employee) => T): Promise<T> {
  db.cacheClear()
  return db.view((context) => read(bobOf(context)))
}

/** A connection whose transactions the spec begins and ends by hand. */
export function aConnection(db: ObjectDatabase) {
  const transactionManager = new ExplicitTransactionManager({ onError: () => undefined })
  const connection = db.connect({ transactionManager })
  return { connection, transactions: transactionManager, bob: () => bobOf(connection) }
}
