import { InvalidManagerError } from './errors.js'
import type { DataManager } from './interfaces.js'

/**
 * What lacks a phase would fail when others have begun to commit.
 * @throws TRANSACTION_INVALID_MANAGER
 */
export function assertManager(manager: DataManager): void {
  for (const method of METHODS) {
    if (typeof manager?.[method] === 'function') continue
    throw new InvalidManagerError(
      `A data manager has the method ${method}, which what was to join lacks.`,
      {
        details: { method },
      },
    )
  }
}

const METHODS = ['abort', 'tpcBegin', 'commit', 'tpcVote', 'tpcFinish', 'tpcAbort'] as const
