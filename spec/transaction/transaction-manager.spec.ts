import { describe, expect, test } from '@jest/globals'
import { ExplicitTransactionManager } from '../../lib/transaction/index.js'
import { aManager, aSavepointManager } from './recording-manager.js'

describe('Transaction manager', () => {
  test('nothing begins by itself', async () => {
    const manager = new ExplicitTransactionManager()
    expect(manager.current).toBe(undefined)
    const none = { code: 'TRANSACTION_NONE' }
    expect(() => manager.get()).toThrow(expect.objectContaining(none))
    expect(() => manager.doom()).toThrow(expect.objectContaining(none))
    expect(() => manager.isDoomed()).toThrow(expect.objectContaining(none))
    expect(() => manager.savepoint()).toThrow(expect.objectContaining(none))
    await expect(manager.commit()).rejects.toMatchObject(none)
    await expect(manager.abort()).rejects.toMatchObject(none)
    expect(manager.current).toBe(undefined)
  })

  test('what began is current until it ends', async () => {
    const manager = new ExplicitTransactionManager()
    const first = manager.begin()
    expect(manager.current).toBe(first)
    expect(manager.get()).toBe(first)
    await manager.commit()
    expect(first.status).toBe('committed')
    expect(manager.current).toBe(undefined)
    const second = manager.begin()
    expect(second).not.toBe(first)
    await manager.abort()
    expect(second.status).toBe('aborted')
    expect(manager.current).toBe(undefined)
  })

  test('a second begin is refused and loses nothing', async () => {
    const manager = new ExplicitTransactionManager()
    const transaction = manager.begin()
    expect(() => manager.begin()).toThrow(
      expect.objectContaining({
        code: 'TRANSACTION_ALREADY_BEGUN',
        message: expect.stringContaining('commit() or abort()'),
      }),
    )
    expect(manager.current).toBe(transaction)
    expect(transaction.status).toBe('active')
  })

  test('a failed commit stays current until it is aborted, and begin says so', async () => {
    const manager = new ExplicitTransactionManager()
    const transaction = manager.begin()
    transaction.join(aManager('a', { log: [], failing: { commit: new Error('no') } }))
    await expect(manager.commit()).rejects.toThrow('no')
    expect(manager.current).toBe(transaction)
    expect(() => manager.begin()).toThrow(/'commitFailed'\). Call abort\(\)/)
    await manager.abort()
    expect(manager.begin().status).toBe('active')
  })

  test('a transaction that is ended directly is let go as well', async () => {
    const manager = new ExplicitTransactionManager()
    await manager.begin().commit()
    await manager.begin().abort()
    expect(manager.current).toBe(undefined)
  })

  test('doom, isDoomed and savepoint are those of the current transaction', () => {
    const manager = new ExplicitTransactionManager()
    const log: string[] = []
    const transaction = manager.begin()
    transaction.join(aSavepointManager('a', { log }))
    manager.savepoint()
    expect(log).toEqual(['a.savepoint'])
    expect(manager.isDoomed()).toBe(false)
    manager.doom()
    expect(manager.isDoomed()).toBe(true)
    expect(transaction.isDoomed()).toBe(true)
    transaction.join(aManager('b', { log }))
    expect(manager.savepoint({ optimistic: true }).valid).toBe(true)
  })

  test('two managers do not know of each other', async () => {
    const [one, other] = [new ExplicitTransactionManager(), new ExplicitTransactionManager()]
    const transaction = one.begin()
    other.begin()
    await other.abort()
    expect(one.current).toBe(transaction)
  })

  test('aborting an old transaction again leaves the next one alone', async () => {
    const manager = new ExplicitTransactionManager()
    const old = manager.begin()
    await old.abort()
    const next = manager.begin()
    await old.abort()
    expect(manager.current).toBe(next)
  })
})
