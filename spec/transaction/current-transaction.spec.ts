import { describe, expect, test } from '@jest/globals'
import {
  currentTransaction,
  ExplicitTransactionManager,
  runInTransactionScope,
  runOutsideTransactionScope,
} from '../../lib/transaction/index.js'

describe('Current transaction', () => {
  test('there is none outside a scope, whatever managers have begun', () => {
    new ExplicitTransactionManager().begin()
    expect(currentTransaction()).toBe(undefined)
  })

  test('it travels with the async call, and two calls do not mix', async () => {
    const [a, b] = [aTransaction(), aTransaction()]
    const seenAfterWaiting = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return currentTransaction()
    }
    const seen = await Promise.all([
      runInTransactionScope(a, seenAfterWaiting),
      runInTransactionScope(b, seenAfterWaiting),
    ])
    expect(seen[0]).toBe(a)
    expect(seen[1]).toBe(b)
    expect(currentTransaction()).toBe(undefined)
  })

  test('the scope returns what the function returns, synchronously', () => {
    expect(runInTransactionScope(aTransaction(), () => 42)).toBe(42)
  })

  test('work can be taken out of the scope', async () => {
    const seen = await runInTransactionScope(aTransaction(), () =>
      runOutsideTransactionScope(async () => {
        await null
        return currentTransaction()
      }),
    )
    expect(seen).toBe(undefined)
  })
})

function aTransaction() {
  return new ExplicitTransactionManager().begin()
}
