import type { TransactionStatus } from './interfaces.js'

/**
 * What may follow what.
 *
 * | status | what is true | leads out |
 * | --- | --- | --- |
 * | `active` | managers join and collect changes | doom, commit, abort, a savepoint that fails |
 * | `doomed` | as active, but commit is refused | abort, a savepoint that fails |
 * | `committing` | two-phase commit is on its way | its success or failure |
 * | `committed` | everything is kept | — |
 * | `commitFailed` | nothing works but abort | abort |
 * | `aborted` | nothing is kept | — |
 *
 * Source: `transaction._transaction.Status`, which has no `aborted`.
 * @internal
 */
export const statusTransitions: Readonly<Record<TransactionStatus, readonly TransactionStatus[]>> =
  {
    active: ['doomed', 'committing', 'commitFailed', 'aborted'],
    doomed: ['commitFailed', 'aborted'],
    committing: ['committed', 'commitFailed'],
    committed: [],
    commitFailed: ['aborted'],
    aborted: [],
  }

/** True for the two statuses that nothing follows. @internal */
export function hasEnded(status: TransactionStatus): boolean {
  return status === 'committed' || status === 'aborted'
}
