import { connectionOf, isPersistent, type Persistent } from '../persistence/index.js'
import { currentTransaction, type Savepoint, type Transaction } from '../transaction/index.js'
import { lineage } from './location.js'
import { raisePlaceStamp } from './place-stamp.js'

/** How one change of one object is taken back. */
interface Undo {
  readonly object: Persistent
  readonly undo: () => void
}

/** What the running call has changed; `undefined` while none runs. All of this is synchronous. */
let journal: Undo[] | undefined

/**
 * Calls `change`, which changes containers and tells of it. When it throws, all is as it was before:
 * what `change` did, and what handlers did to objects of the database before one of them threw.
 *
 * A savepoint of the transaction brings back the objects that are the database's, and lets go what
 * other data managers had noted. Objects that no database knows are not under it: what containers
 * did to them is undone by hand, and what handlers did to them stays.
 *
 * @param options.at - the container; its transaction, or else that of the call, gets the savepoint.
 * @param options.isHeard - whether there is anybody who could refuse: without, no savepoint is taken.
 */
export function allOrNothing<T>(
  { at, isHeard }: { readonly at: Persistent; readonly isHeard: boolean },
  change: () => T,
): T {
  const outer = journal
  const undos: Undo[] = []
  // Optimistic: with a manager that has no savepoints the transaction can only be aborted afterwards.
  const savepoint = isHeard ? transactionAt(at)?.savepoint({ optimistic: true }) : undefined
  journal = undos
  try {
    const result = change()
    outer?.push(...undos)
    return result
  } catch (error) {
    journal = undefined
    goBack(savepoint, undos)
    throw error
  } finally {
    journal = outer
  }
}

/** Says how to take back a change that was made just now. */
export function noteUndo(object: Persistent, undo: () => void): void {
  journal?.push({ object, undo })
}

function goBack(savepoint: Savepoint | undefined, undos: readonly Undo[]): void {
  try {
    savepoint?.rollback()
  } catch {
    // The transaction has failed and refuses to commit, saying why; the caller hears who threw first.
  }
  for (const { object, undo } of [...undos].reverse()) {
    if (savepoint === undefined || connectionOf(object) === undefined) undo()
  }
  raisePlaceStamp()
}

function transactionAt(object: Persistent): Transaction | undefined {
  for (const at of lineage(object)) {
    const transaction = isPersistent(at) ? connectionOf(at)?.transaction : undefined
    if (transaction !== undefined) return working(transaction)
  }
  return working(currentTransaction())
}

/** While it commits there are no savepoints, and what throws then fails it. */
function working(transaction: Transaction | undefined): Transaction | undefined {
  const status = transaction?.status
  return status === 'active' || status === 'doomed' ? transaction : undefined
}
