import { describe, expect, test } from '@jest/globals'
import { ExplicitTransactionManager } from '../../lib/transaction/index.js'
import { aManager, aSavepointManager, type RecordingOptions } from './recording-manager.js'

describe('Savepoint', () => {
  test('rolling back goes to every manager that had joined, in that order', () => {
    const { transaction, log, join } = aScene()
    join('b')
    join('a')
    transaction.savepoint().rollback()
    expect(log).toEqual(['b.savepoint', 'a.savepoint', 'b.rollback', 'a.rollback'])
  })

  test('may be rolled back to again and again', () => {
    const { transaction, log, join } = aScene()
    join('a')
    const savepoint = transaction.savepoint()
    savepoint.rollback()
    savepoint.rollback()
    expect(savepoint.valid).toBe(true)
    expect(log.filter((entry) => entry === 'a.rollback')).toHaveLength(2)
  })

  test('rolling back makes the later ones invalid, and not the earlier or the next', () => {
    const { transaction } = aScene()
    const [first, second, third] = [1, 2, 3].map(() => transaction.savepoint())
    second?.rollback()
    const next = transaction.savepoint()
    expect([first, second, third, next].map((savepoint) => savepoint?.valid)).toEqual([
      true,
      true,
      false,
      true,
    ])
    expect(() => third?.rollback()).toThrow(
      expect.objectContaining({ code: 'TRANSACTION_INVALID_SAVEPOINT' }),
    )
    first?.rollback()
    expect(next.valid).toBe(false)
  })

  for (const end of ['commit', 'abort'] as const) {
    test(`${end} makes all of them invalid`, async () => {
      const { transaction } = aScene()
      const savepoint = transaction.savepoint()
      await transaction[end]()
      expect(savepoint.valid).toBe(false)
      expect(() => savepoint.rollback()).toThrow(
        expect.objectContaining({ code: 'TRANSACTION_INVALID_SAVEPOINT' }),
      )
    })
  }

  test('a commit stopped by a hook has made them invalid, also those that the hooks took', async () => {
    const { transaction } = aScene()
    const before = transaction.savepoint()
    transaction.addBeforeCommitHook(() => {
      expect(before.valid).toBe(false)
      throw new Error('not yet')
    })
    await expect(transaction.commit()).rejects.toThrow('not yet')
    expect(before.valid).toBe(false)

    const taken: { readonly valid: boolean }[] = []
    transaction.addBeforeCommitHook(() => void taken.push(transaction.savepoint()))
    await transaction.commit()
    expect(taken.map(({ valid }) => valid)).toEqual([false])
  })

  test('before-commit hooks do not run for it', () => {
    const { transaction } = aScene()
    let called = false
    transaction.addBeforeCommitHook(() => {
      called = true
    })
    transaction.savepoint()
    expect(called).toBe(false)
  })

  test('a manager that joined later is aborted by a rollback and leaves', async () => {
    const { transaction, log, join } = aScene()
    const early = join('early')
    const savepoint = transaction.savepoint()
    join('late')
    savepoint.rollback()
    expect(transaction.managers).toEqual([early])
    expect(log).toEqual(['early.savepoint', 'early.rollback', 'late.abort'])
    await transaction.commit()
    expect(log).not.toContain('late.tpcBegin')
  })

  test('one that left may join again, and is aborted again', () => {
    const { transaction, log, join } = aScene()
    const savepoint = transaction.savepoint()
    const late = join('late')
    savepoint.rollback()
    savepoint.rollback()
    expect(log).toEqual(['late.abort'])
    transaction.join(late)
    savepoint.rollback()
    expect(log).toEqual(['late.abort', 'late.abort'])
    expect(transaction.managers).toEqual([])
  })

  test('one that left by a later savepoint is not aborted by an earlier', () => {
    const { transaction, log, join } = aScene()
    const first = transaction.savepoint()
    join('between')
    const second = transaction.savepoint()
    join('late')
    second.rollback()
    first.rollback()
    expect(log).toEqual(['between.savepoint', 'between.rollback', 'late.abort', 'between.abort'])
  })

  test('a late joiner needs no savepoints to be rolled back', () => {
    const { transaction, log } = aScene()
    const savepoint = transaction.savepoint()
    transaction.join(aManager('plain', { log }))
    savepoint.rollback()
    expect(log).toEqual(['plain.abort'])
  })

  test('without savepoints in a manager there is none, and the transaction has failed', async () => {
    const { transaction, log } = aScene()
    transaction.join(aManager('plain', { log }))
    expect(() => transaction.savepoint()).toThrow(
      expect.objectContaining({
        code: 'TRANSACTION_SAVEPOINTS_UNSUPPORTED',
        message: expect.stringContaining('"plain"'),
      }),
    )
    expect(transaction.status).toBe('commitFailed')
    await expect(transaction.commit()).rejects.toMatchObject({
      code: 'TRANSACTION_FAILED',
      cause: expect.objectContaining({ code: 'TRANSACTION_SAVEPOINTS_UNSUPPORTED' }),
    })
  })

  test('an optimistic one can be taken then, and rolling back fails the transaction', () => {
    const { transaction, log, join } = aScene()
    join('able')
    transaction.join(aManager('plain', { log }))
    const savepoint = transaction.savepoint({ optimistic: true })
    expect(transaction.status).toBe('active')
    expect(() => savepoint.rollback()).toThrow(
      expect.objectContaining({ code: 'TRANSACTION_SAVEPOINTS_UNSUPPORTED' }),
    )
    expect(transaction.status).toBe('commitFailed')
    expect(log).toEqual(['able.savepoint', 'able.rollback'])
    expect(() => savepoint.rollback()).toThrow(
      expect.objectContaining({ code: 'TRANSACTION_FAILED' }),
    )
  })

  for (const method of ['savepoint', 'rollback', 'abort'] as const) {
    test(`an error of a manager's ${method} fails the transaction`, () => {
      const { transaction, join } = aScene()
      const error = new Error('no')
      if (method !== 'abort') join('a', { failing: { [method]: error } })
      expect(() => {
        const savepoint = transaction.savepoint()
        if (method === 'abort') join('a', { failing: { [method]: error } })
        savepoint.rollback()
      }).toThrow(error)
      expect(transaction.status).toBe('commitFailed')
      expect(() => transaction.savepoint()).toThrow(
        expect.objectContaining({ code: 'TRANSACTION_FAILED', cause: error }),
      )
    })
  }

  test('a late joiner whose abort waits is waited for by the commit', async () => {
    const { transaction, log } = aScene()
    const savepoint = transaction.savepoint()
    transaction.join(aSlowlyAborted(log))
    savepoint.rollback()
    transaction.join(aManager('next', { log }))
    expect(log).toEqual(['slow.abort'])
    await transaction.commit()
    expect(log.slice(0, 3)).toEqual(['slow.abort', 'slow.aborted', 'next.tpcBegin'])
  })

  test('with nobody joined, the commit waits as well', async () => {
    const { transaction, log } = aScene()
    const savepoint = transaction.savepoint()
    transaction.join(aSlowlyAborted(log))
    savepoint.rollback()
    await transaction.commit()
    expect(log).toEqual(['slow.abort', 'slow.aborted'])
  })

  test('a late abort that is rejected fails the commit; a second one is reported', async () => {
    const { transaction, log, errors, join } = aScene()
    const savepoint = transaction.savepoint()
    join('late', { waiting: true, failing: { abort: new Error('stuck') } })
    join('later', { waiting: true, failing: { abort: new Error('stuck too') } })
    savepoint.rollback()
    transaction.join(aManager('next', { log }))
    await expect(transaction.commit()).rejects.toThrow('stuck')
    expect(transaction.status).toBe('commitFailed')
    expect(log).toEqual(['late.abort', 'later.abort', 'next.abort', 'next.tpcAbort'])
    expect(errors).toEqual([['stuck too', 'abort']])
  })

  test('a late abort that is rejected is reported by the abort', async () => {
    const { transaction, errors, join } = aScene()
    const savepoint = transaction.savepoint()
    join('late', { waiting: true, failing: { abort: new Error('stuck') } })
    savepoint.rollback()
    await transaction.abort()
    expect(transaction.status).toBe('aborted')
    expect(errors).toEqual([['stuck', 'abort']])
  })

  test('can be taken in a doomed transaction, which stays doomed', () => {
    const { transaction, log, join } = aScene()
    join('a')
    transaction.doom()
    transaction.savepoint().rollback()
    expect(log).toEqual(['a.savepoint', 'a.rollback'])
    expect(transaction.isDoomed()).toBe(true)
  })
})

function aSlowlyAborted(log: string[]) {
  return {
    ...aManager('slow', { log }),
    async abort() {
      log.push('slow.abort')
      await new Promise((resolve) => setImmediate(resolve))
      log.push('slow.aborted')
    },
  }
}

function aScene() {
  const log: string[] = []
  const errors: [string, string][] = []
  const manager = new ExplicitTransactionManager({
    onError: (error, where) => errors.push([(error as Error).message, where]),
  })
  const transaction = manager.begin()
  const join = (name: string, options: Omit<RecordingOptions, 'log'> = {}) => {
    const joined = aSavepointManager(name, { log, ...options })
    transaction.join(joined)
    return joined
  }
  return { transaction, log, errors, join }
}
