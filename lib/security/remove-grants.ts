import type { ObjectDatabase, Oid } from '../persistence/index.js'
import { InvalidRangeError, oidsOfClass } from '../persistence/index.js'
import { GrantTree, keysOfPrincipal } from './grant-tree.js'
import { forgetPrincipal } from './grants.js'
import { assertId } from './ids.js'

/** @public */
export interface RemoveGrantsOptions {
  /** Places that one transaction changes. @defaultValue 100 */
  readonly pageSize?: number
  /** Ends it: pages that were committed stay so. */
  readonly signal?: AbortSignal
  /** Told after each page. */
  readonly onProgress?: (progress: RemoveGrantsReport) => void
}

/** @public */
export interface RemoveGrantsReport {
  /** Objects that had grants or denials of the principal. */
  readonly places: number
  /** How many rows there were. */
  readonly rows: number
}

/**
 * Takes back everything that is said of a principal anywhere in a database: for when it is removed, so
 * that nobody who gets its id gets its rights. Looks at every object, beside other work, and changes
 * what it finds in pages, each a transaction of its own. Grants that are made meanwhile stay.
 *
 * Not those in memory: see `unsetPrincipal` of `IGlobalGrants`.
 *
 * @throws SECURITY_INVALID_ID; PERSISTENCE_INVALID_RANGE; the signal's reason; what a transaction throws.
 * @public
 */
export async function removeGrants(
  database: ObjectDatabase,
  principalId: string,
  { pageSize = 100, signal, onProgress }: RemoveGrantsOptions = {},
): Promise<RemoveGrantsReport> {
  assertId(principalId, 'a principal')
  if (!Number.isSafeInteger(pageSize) || pageSize < 1) {
    throw new InvalidRangeError(`The size of a page is ${pageSize}; give a whole number from 1 on`)
  }
  const found = await placesOf(database, principalId, signal)
  let report: RemoveGrantsReport = { places: 0, rows: 0 }
  for (let first = 0; first < found.length; first += pageSize) {
    signal?.throwIfAborted()
    const page = await removePage(database, principalId, found.slice(first, first + pageSize))
    report = { places: report.places + page.places, rows: report.rows + page.rows }
    onProgress?.(report)
  }
  return report
}

async function placesOf(
  database: ObjectDatabase,
  principalId: string,
  signal: AbortSignal | undefined,
): Promise<readonly Oid[]> {
  const found: Oid[] = []
  await database.view(async ({ connection }) => {
    for await (const oid of oidsOfClass(database, GrantTree, { signal })) {
      const tree = connection.query(oid)
      if (tree instanceof GrantTree && keysOfPrincipal(tree, principalId).length > 0)
        found.push(oid)
    }
  })
  return found
}

function removePage(
  database: ObjectDatabase,
  principalId: string,
  oids: readonly Oid[],
): Promise<RemoveGrantsReport> {
  return database.transaction(
    ({ connection }) => {
      let places = 0
      let rows = 0
      for (const oid of oids) {
        const tree = connection.query(oid)
        const removed = tree instanceof GrantTree ? forgetPrincipal(tree, principalId) : 0
        if (removed > 0) places++
        rows += removed
      }
      return { places, rows }
    },
    { note: `remove the grants of ${principalId}` },
  )
}
