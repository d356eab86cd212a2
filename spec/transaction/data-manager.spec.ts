import { describe, expect, test } from '@jest/globals'
import { assertManager } from '../../lib/transaction/data-manager.js'
import { type DataManager, ExplicitTransactionManager } from '../../lib/transaction/index.js'
import { idleManager } from '../support/idle-manager.js'

describe('A data manager', () => {
  test('has all phases', () => {
    expect(() => assertManager(idleManager)).not.toThrow()
  })

  test.each(Object.keys(idleManager).filter((part) => part !== 'sortKey'))(
    'without %s does not join, and the others can commit',
    async (part) => {
      const manager = new ExplicitTransactionManager()
      const transaction = manager.begin()
      transaction.join(idleManager)
      const lacking = { ...idleManager, [part]: undefined } as unknown as DataManager
      expect(() => transaction.join(lacking)).toThrow(
        expect.objectContaining({
          code: 'TRANSACTION_INVALID_MANAGER',
          message: expect.stringContaining(part),
        }),
      )
      expect(transaction.managers).toEqual([idleManager])
      await transaction.commit()
      expect(transaction.status).toBe('committed')
    },
  )

  test('is an object', () => {
    for (const value of [undefined, null, 5]) {
      expect(() => assertManager(value as never)).toThrow(/data manager/)
    }
  })
})
