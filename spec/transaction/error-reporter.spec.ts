import { describe, expect, test } from '@jest/globals'
import { ExplicitTransactionManager, warnOfError } from '../../lib/transaction/index.js'

describe('Error reporter', () => {
  test('by default an error becomes a process warning with its place and stack', async () => {
    const warnings = await warningsDuring(() => warnOfError(new Error('lost'), 'afterCommitHook'))
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatchObject({
      message: 'afterCommitHook of a transaction failed: Error: lost',
      options: {
        type: 'TransactionWarning',
        detail: expect.stringContaining('error-reporter.spec'),
      },
    })
  })

  test('a thrown text is reported as well', async () => {
    const warnings = await warningsDuring(() => warnOfError('just text', 'tpcFinish'))
    expect(warnings[0]?.message).toContain('just text')
  })

  test('a manager without a reporter warns', async () => {
    const warnings = await warningsDuring(async () => {
      const transaction = new ExplicitTransactionManager().begin()
      transaction.addAfterCommitHook(() => {
        throw new Error('mail not sent')
      })
      await transaction.commit()
    })
    expect(warnings.map(({ message }) => message)).toEqual([
      'afterCommitHook of a transaction failed: Error: mail not sent',
    ])
  })

  test('a reporter that throws does not stop a commit, and both errors become warnings', async () => {
    const manager = new ExplicitTransactionManager({
      onError: () => {
        throw new Error('reporter broken')
      },
    })
    const transaction = manager.begin()
    transaction.addAfterCommitHook(() => {
      throw new Error('mail not sent')
    })
    const warnings = await warningsDuring(() => transaction.commit())
    expect(transaction.status).toBe('committed')
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('mail not sent'),
      expect.stringContaining('reporter broken'),
    ])
  })
})

/** What is handed to `process.emitWarning`, in the place of which it stands meanwhile. */
async function warningsDuring(act: () => unknown): Promise<Warning[]> {
  const warnings: Warning[] = []
  const emitWarning = process.emitWarning
  process.emitWarning = (message: string | Error, options?: unknown) => {
    warnings.push({ message: String(message), options })
  }
  try {
    await act()
  } finally {
    process.emitWarning = emitWarning
  }
  return warnings
}

interface Warning {
  readonly message: string
  readonly options: unknown
}
