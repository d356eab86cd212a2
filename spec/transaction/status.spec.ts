import { describe, expect, test } from '@jest/globals'
import {
  ExplicitTransactionManager,
  hasEnded,
  statusTransitions,
  type Transaction,
  type TransactionStatus,
} from '../../lib/transaction/index.js'
import { aManager } from './recording-manager.js'

const STATUSES = Object.keys(statusTransitions) as TransactionStatus[]

describe('Transaction status', () => {
  for (const from of STATUSES) {
    for (const to of STATUSES) {
      const legal = statusTransitions[from].includes(to)
      test(`${from} ${legal ? 'leads' : 'never leads'} to ${to}`, async () => {
        const seen = new Set<TransactionStatus>()
        for (const step of STEPS) {
          const transaction = await aTransactionIn(from)
          const before = transaction.status
          const during: TransactionStatus[] = []
          await step(transaction, during)
          // `committing` is passed through within a commit, so it is its first stop.
          const after = during[0] ?? transaction.status
          if (before === from && after !== from) seen.add(after)
        }
        if (from === 'committing') {
          for (const failing of [false, true]) seen.add(await afterCommitting(failing))
        }
        expect(seen.has(to)).toBe(legal)
      })
    }
  }

  test('committed and aborted are the end, the others are not', () => {
    expect(STATUSES.filter(hasEnded)).toEqual(['committed', 'aborted'])
    for (const status of STATUSES) {
      expect(hasEnded(status)).toBe(statusTransitions[status].length === 0)
    }
  })
})

type Step = (transaction: Transaction, during: TransactionStatus[]) => Promise<void>

/** Everything that could change a status; what is refused changes none. */
const STEPS: readonly Step[] = [
  async (transaction) => attempt(() => transaction.doom()),
  async (transaction) => attempt(() => transaction.abort()),
  async (transaction, during) => {
    await attempt(() =>
      transaction.join({
        ...aManager('watching', { log: [] }),
        tpcBegin: () => void during.push(transaction.status),
      }),
    )
    await attempt(() => transaction.commit())
  },
  async (transaction) => {
    await attempt(() => transaction.join(aManager('no savepoints', { log: [] })))
    await attempt(() => transaction.savepoint())
  },
  async (transaction) => {
    await attempt(() => transaction.note('a note'))
    await attempt(() => transaction.setData({}, 1))
  },
]

async function attempt(act: () => unknown): Promise<void> {
  try {
    await act()
  } catch {
    // Refused.
  }
}

/** `committing` cannot be held without waiting: it is left as it is found, in `afterCommitting`. */
async function aTransactionIn(status: TransactionStatus): Promise<Transaction> {
  const transaction = new ExplicitTransactionManager().begin()
  if (status === 'doomed') transaction.doom()
  if (status === 'committed') await transaction.commit()
  if (status === 'aborted') await transaction.abort()
  if (status === 'commitFailed') {
    transaction.join(aManager('failing', { log: [], failing: { commit: new Error('no') } }))
    await transaction.commit().catch(() => {})
  }
  return transaction
}

async function afterCommitting(failing: boolean): Promise<TransactionStatus> {
  const transaction = new ExplicitTransactionManager().begin()
  transaction.join(
    aManager('slow', { log: [], waiting: true, failing: failing ? { tpcVote: 'no' } : {} }),
  )
  const commit = transaction.commit()
  expect(transaction.status).toBe('committing')
  await attempt(() => transaction.doom())
  await attempt(() => transaction.abort())
  await attempt(() => transaction.commit())
  await attempt(() => transaction.savepoint())
  expect(transaction.status).toBe('committing')
  await commit.catch(() => {})
  return transaction.status
}
