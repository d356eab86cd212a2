import { ConflictError, formatOid, type Oid } from '../storage/index.js'
import type { CommittedStore } from './committed-store.js'
import { DanglingReferenceError } from './errors.js'
import { referencesOf } from './stored-references.js'

/** A record that a transaction wants to write. */
interface WantedRecord {
  readonly oid: Oid
  readonly bytes: Uint8Array
}

/**
 * Holds what a transaction wants to write against what was removed since the opening: one that began
 * before the removal, or holds an object from before it, must not bring back a reference to what is
 * no more. Costs nothing until something is removed.
 * @throws STORAGE_CONFLICT, retryable.
 */
export function refuseRemoved(wanted: readonly WantedRecord[], store: CommittedStore): void {
  if (!store.hasRemovals) return
  const own = new Set(wanted.map(({ oid }) => oid))
  for (const { oid, bytes } of wanted) {
    for (const found of referencesOf(bytes, oid).strong) {
      const committed = own.has(found) ? undefined : store.removalOf(found)
      if (committed !== undefined) throw ConflictError.withRemoval({ oid: found, committed })
    }
  }
}

/**
 * Verifies that every reference leads to an object, of this transaction or committed before it.
 * @param what - describes the object of an oid, for the message.
 * @throws PERSISTENCE_DANGLING_REFERENCE
 */
export function refuseDangling(
  wanted: readonly WantedRecord[],
  store: CommittedStore,
  what: (oid: Oid) => string,
): void {
  const own = new Set(wanted.map(({ oid }) => oid))
  for (const { oid, bytes } of wanted) {
    for (const found of referencesOf(bytes, oid).strong) {
      if (own.has(found) || store.newest(found) !== undefined) continue
      throw new DanglingReferenceError(
        `${what(oid)} refers to oid ${formatOid(found)}, which does not exist. Nothing was committed. Reach ` +
          'what you refer to from the root of this transaction.',
        { details: { oid: formatOid(oid), missing: formatOid(found) } },
      )
    }
  }
}
