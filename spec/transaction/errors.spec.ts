import { describe, expect, test } from '@jest/globals'
import { TreehookError } from '../../lib/foundation/index.js'
import {
  NoTransactionError,
  TransactionFailedError,
  transactionErrors,
} from '../../lib/transaction/index.js'

describe('Transaction errors', () => {
  test('each has a code of this layer, used once', () => {
    const codes = transactionErrors.map(({ code }) => code)
    expect(codes).toEqual([
      'TRANSACTION_NONE',
      'TRANSACTION_ALREADY_BEGUN',
      'TRANSACTION_DOOMED',
      'TRANSACTION_FAILED',
      'TRANSACTION_INVALID_SAVEPOINT',
      'TRANSACTION_SAVEPOINTS_UNSUPPORTED',
      'TRANSACTION_WRONG_STATUS',
      'TRANSACTION_METADATA',
      'TRANSACTION_INVALID_OPTION',
      'TRANSACTION_INVALID_MANAGER',
    ])
  })

  test('each is a TreehookError, and none is worth another try by itself', () => {
    for (const errorClass of transactionErrors) {
      const error = new errorClass('said')
      expect(error).toBeInstanceOf(TreehookError)
      expect(error.name).toBe(errorClass.name)
      expect(error.retryable).toBe(false)
    }
  })

  test('a failed transaction says what to call, and why it failed', () => {
    const cause = new Error('disk on fire')
    const error = TransactionFailedError.since('join', cause)
    expect(error.cause).toBe(cause)
    expect(error.message).toMatch(/^join: .*disk on fire.*Call abort\(\)/)
  })

  test('a missing transaction says how to get one', () => {
    expect(NoTransactionError.during('doom').message).toMatch(/^doom: .*begin\(\)/)
  })
})
