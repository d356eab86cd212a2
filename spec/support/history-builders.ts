import type {
  BTree,
  ObjectDatabase,
  ObjectDatabaseOptions,
  Persistent,
  Tid,
  TransactionContext,
} from '../../lib/persistence/index.js'
import { createMemoryStorage, type History } from '../../lib/storage/index.js'
import { aDatabase } from './persistence-builders.js'

/** A database in memory that keeps its history. */
export function aHistoricalDatabase({
  history = 'all',
  ...options
}: Omit<ObjectDatabaseOptions, 'history'> & { history?: History } = {}): Promise<ObjectDatabase> {
  return aDatabase({ storage: createMemoryStorage({ history }), ...options })
}

/** Commits what `fn` does, and gives the commit's tid. */
export async function commit(
  db: ObjectDatabase,
  fn: (root: BTree<string, Persistent>, context: TransactionContext) => unknown,
  note = '',
): Promise<Tid> {
  await db.transaction((context) => void fn(context.rootMapping, context), { note })
  return db.lastTid
}
