import { describe, expect, test } from '@jest/globals'
import { type Clock, defineError } from '../../lib/foundation/index.js'
import {
  currentTransaction,
  ExplicitTransactionManager,
  type RunOptions,
  type RunTools,
  run,
  runInTransactionScope,
  type Transaction,
  type TransactionStatus,
} from '../../lib/transaction/index.js'
import { aManager } from './recording-manager.js'

const Busy = defineError('BusyError', 'TEST_BUSY', { retryable: true })

describe('run', () => {
  test('commits what the function did and returns its result', async () => {
    const { manager, runs } = aScene()
    expect(await runs(() => 'sync')).toBe('sync')
    expect(await runs(async () => 'async')).toBe('async')
    expect(runs.statuses()).toEqual(['committed', 'committed'])
    expect(manager.current).toBe(undefined)
  })

  test('the transaction is the current one in the function, in hooks and in managers', async () => {
    const { runs } = aScene()
    const seen: (Transaction | undefined)[] = []
    const look = (): void => void seen.push(currentTransaction())
    await runs(async (transaction) => {
      await null
      look()
      transaction.addBeforeCommitHook(look)
      transaction.addAfterCommitHook(look)
      transaction.join({ ...aManager('m', { log: [] }), tpcVote: look })
    })
    expect(seen).toHaveLength(4)
    expect(new Set(seen)).toEqual(new Set(runs.transactions))
    expect(currentTransaction()).toBe(undefined)
  })

  test('the note is stored with the transaction of every try', async () => {
    const { runs } = aScene({ note: 'hire Bob' })
    await runs(failingTimes(1))
    expect(runs.transactions.map(({ description }) => description)).toEqual([
      'hire Bob',
      'hire Bob',
    ])
  })

  for (const waiting of [false, true]) {
    test(`an error of ${waiting ? 'an async' : 'a sync'} function aborts and is thrown as it was`, async () => {
      const { manager, runs } = aScene()
      const error = new Error('no')
      await expect(
        runs(() => {
          if (waiting) return Promise.reject(error)
          throw error
        }),
      ).rejects.toBe(error)
      expect(runs.statuses()).toEqual(['aborted'])
      expect(manager.current).toBe(undefined)
    })
  }

  test('an error of the commit aborts and is thrown as it was', async () => {
    const { manager, runs } = aScene()
    const error = new Error('no')
    const failing = aManager('m', { log: [], failing: { tpcVote: error } })
    await expect(runs((transaction) => transaction.join(failing))).rejects.toBe(error)
    expect(runs.statuses()).toEqual(['aborted'])
    expect(manager.current).toBe(undefined)
  })

  test('an error of the abort that follows is reported, and the first one thrown', async () => {
    const { runs, errors } = aScene()
    const failing = aManager('m', { log: [], failing: { abort: new Error('stuck') } })
    await expect(
      runs((transaction) => {
        transaction.join(failing)
        throw new Error('first')
      }),
    ).rejects.toThrow('first')
    expect(errors).toEqual([['stuck', 'abort']])
  })

  test('an impossible note aborts the transaction', async () => {
    const { manager, runs } = aScene({ note: 'x'.repeat(65_536) })
    await expect(runs(() => {})).rejects.toMatchObject({ code: 'TRANSACTION_METADATA' })
    expect(manager.current).toBe(undefined)
  })

  describe('tries', () => {
    test('a retryable error begins a new transaction, until one succeeds', async () => {
      const { runs } = aScene()
      expect(await runs(failingTimes(2))).toBe('done')
      expect(runs.statuses()).toEqual(['aborted', 'aborted', 'committed'])
    })

    test('a retryable error of the commit is tried again', async () => {
      const { runs } = aScene()
      let conflicts = 1
      await runs((transaction) => {
        const failing = conflicts-- > 0 ? { tpcVote: new Busy('busy') } : {}
        transaction.join(aManager('m', { log: [], failing }))
      })
      expect(runs.statuses()).toEqual(['aborted', 'committed'])
    })

    test('another error is not', async () => {
      const { runs } = aScene()
      await expect(runs(failingTimes(1, () => new Error('no')))).rejects.toThrow('no')
      expect(runs.statuses()).toHaveLength(1)
    })

    test('by default there are five, and the last error is thrown as it was', async () => {
      const { runs } = aScene()
      await expect(runs(failingTimes(9, (n) => new Busy(`busy ${n}`)))).rejects.toMatchObject({
        code: 'TEST_BUSY',
        message: 'busy 5',
      })
      expect(runs.statuses()).toEqual(Array(5).fill('aborted'))
    })

    test('one try is no retry', async () => {
      const { runs } = aScene({ tries: 1 })
      await expect(runs(failingTimes(1))).rejects.toBeInstanceOf(Busy)
      expect(runs.statuses()).toHaveLength(1)
    })

    test('a manager is asked before the abort whether to retry', async () => {
      const { runs } = aScene()
      const log: string[] = []
      const asked: unknown[] = []
      const error = new Error('foreign conflict')
      const shouldRetry = (reason: unknown): boolean => {
        log.push('m.shouldRetry')
        asked.push(reason)
        return true
      }
      let failures = 1
      await runs((transaction) => {
        transaction.join(aManager('none', { log: [] }))
        transaction.join(aManager('m', { log, shouldRetry }))
        if (failures-- > 0) throw error
      })
      expect(asked).toEqual([error])
      expect(log.slice(0, 3)).toEqual(['m.shouldRetry', 'm.abort', 'm.tpcBegin'])
    })

    test('a manager that says no, or fails to answer, does not retry', async () => {
      const { runs, errors } = aScene()
      await expect(
        runs((transaction) => {
          transaction.join(aManager('no', { log: [], shouldRetry: () => false }))
          transaction.join(
            aManager('broken', {
              log: [],
              shouldRetry: () => {
                throw new Error('cannot tell')
              },
            }),
          )
          throw new Error('first')
        }),
      ).rejects.toThrow('first')
      expect(runs.statuses()).toHaveLength(1)
      expect(errors).toEqual([['cannot tell', 'shouldRetry']])
    })

    test('when the function hides a failed savepoint, what failed decides', async () => {
      const { runs } = aScene()
      let failures = 1
      await runs((transaction) => {
        const refusing = aManager('m', { log: [] })
        transaction.join({
          ...refusing,
          savepoint() {
            if (failures-- > 0) throw new Busy('busy')
            return { rollback() {} }
          },
        } as typeof refusing)
        try {
          transaction.savepoint()
        } catch {
          // The function goes on as if nothing had happened.
        }
      })
      expect(runs.statuses()).toEqual(['aborted', 'committed'])
    })

    test('nothing is tried again once a manager has made its part final', async () => {
      const { runs } = aScene()
      await expect(
        runs((transaction) => {
          transaction.join(aManager('a', { log: [] }))
          transaction.join(aManager('b', { log: [], failing: { tpcFinish: new Busy('too late') } }))
        }),
      ).rejects.toThrow('too late')
      expect(runs.statuses()).toHaveLength(1)
    })

    for (const tries of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      test(`${tries} is no number of tries`, async () => {
        const { runs } = aScene({ tries })
        await expect(runs(() => {})).rejects.toMatchObject({ code: 'TRANSACTION_INVALID_OPTION' })
        expect(runs.statuses()).toEqual([])
      })
    }
  })

  describe('waiting', () => {
    test('the bound doubles with each try up to 100 ms, and chance decides below it', async () => {
      const { runs, slept } = aScene({ tries: 9, random: () => 0.5 })
      await expect(runs(failingTimes(9))).rejects.toBeInstanceOf(Busy)
      expect(slept).toEqual([1, 2, 4, 8, 16, 32, 50, 50])
    })

    test('a back-off of one’s own is asked for the next try’s number', async () => {
      const asked: number[] = []
      const backoffMs = (nextTry: number): number => asked.push(nextTry) * 10
      const { runs, slept } = aScene({ backoffMs })
      await runs(failingTimes(2))
      expect(asked).toEqual([2, 3])
      expect(slept).toEqual([10, 20])
    })

    test('beforeRetry gets the error and is waited for, outside the transaction', async () => {
      const log: unknown[] = []
      const beforeRetry = async (error: unknown): Promise<void> => {
        log.push(error, currentTransaction(), manager.current)
        await null
        log.push('winner published')
      }
      const { manager, runs } = aScene({ beforeRetry })
      const error = new Busy('busy')
      const fail = failingTimes(1, () => error)
      await runs(() => {
        log.push('try')
        return fail()
      })
      expect(log).toEqual(['try', error, undefined, undefined, 'winner published', 'try'])
    })

    test('beforeRetry is not called when no try follows', async () => {
      let called = false
      const beforeRetry = (): void => {
        called = true
      }
      const { runs } = aScene({ beforeRetry, tries: 1 })
      await expect(runs(failingTimes(1))).rejects.toBeInstanceOf(Busy)
      expect(called).toBe(false)
    })

    test('no sleep leads beyond the deadline: the error is thrown at once', async () => {
      const { runs, slept } = aScene({ deadlineMs: 25, backoffMs: () => 10 })
      await expect(runs(failingTimes(9))).rejects.toBeInstanceOf(Busy)
      expect(slept).toEqual([10, 10])
      expect(runs.statuses()).toHaveLength(3)
    })

    test('a try at the very deadline still begins', async () => {
      const { runs } = aScene({ deadlineMs: 20, backoffMs: () => 10 })
      await runs(failingTimes(2))
      expect(runs.statuses()).toHaveLength(3)
    })

    test('when beforeRetry takes longer than the deadline, no try follows', async () => {
      const scene = aScene({ deadlineMs: 25, backoffMs: () => 10, beforeRetry: () => pass() })
      const pass = (): Promise<void> => scene.clock.sleep(20)
      await expect(scene.runs(failingTimes(9))).rejects.toBeInstanceOf(Busy)
      expect(scene.runs.statuses()).toHaveLength(1)
    })

    for (const deadlineMs of [-1, Number.NaN]) {
      test(`${deadlineMs} is no deadline`, async () => {
        const { runs } = aScene({ deadlineMs })
        await expect(runs(() => {})).rejects.toMatchObject({ code: 'TRANSACTION_INVALID_OPTION' })
      })
    }
  })

  describe('a signal', () => {
    test('that is aborted keeps the first try from beginning', async () => {
      const reason = new Error('shutting down')
      const { runs } = aScene({ signal: AbortSignal.abort(reason) })
      await expect(runs(() => {})).rejects.toBe(reason)
      expect(runs.statuses()).toEqual([])
    })

    test('that is aborted during the sleep ends it with its reason', async () => {
      const controller = new AbortController()
      const reason = new Error('shutting down')
      let retried = false
      const scene = aScene({
        signal: controller.signal,
        backoffMs: () => 10,
        beforeRetry: () => {
          retried = true
        },
      })
      scene.onSleep(() => controller.abort(reason))
      await expect(scene.runs(failingTimes(1))).rejects.toBe(reason)
      expect(scene.runs.statuses()).toEqual(['aborted'])
      expect(retried).toBe(false)
    })

    test('that is aborted in a try without sleep after it prevents the next', async () => {
      const controller = new AbortController()
      const { runs } = aScene({ signal: controller.signal, backoffMs: () => 0 })
      const fail = failingTimes(1)
      await expect(
        runs(() => {
          controller.abort('stop')
          return fail()
        }),
      ).rejects.toBe('stop')
      expect(runs.statuses()).toHaveLength(1)
    })

    test('that is aborted does not undo a try that succeeds', async () => {
      const controller = new AbortController()
      const { runs } = aScene({ signal: controller.signal })
      await runs(() => controller.abort())
      expect(runs.statuses()).toEqual(['committed'])
    })
  })

  describe('the function', () => {
    test('may doom: the transaction is aborted and the result returned, in one try', async () => {
      const { runs } = aScene()
      const log: string[] = []
      const result = await runs((transaction) => {
        transaction.join(aManager('m', { log, shouldRetry: () => true }))
        transaction.doom()
        return 'vetoed'
      })
      expect(result).toBe('vetoed')
      expect(log).toEqual(['m.abort'])
      expect(runs.statuses()).toEqual(['aborted'])
    })

    test('an abort of a doomed transaction that fails is thrown and not tried again', async () => {
      const { runs } = aScene()
      const failing = aManager('m', { log: [], failing: { abort: new Busy('stuck') } })
      await expect(
        runs((transaction) => {
          transaction.join(failing)
          transaction.doom()
        }),
      ).rejects.toThrow('stuck')
      expect(runs.statuses()).toEqual(['aborted'])
    })

    for (const end of ['commit', 'abort'] as const) {
      test(`must not ${end} itself`, async () => {
        const { runs } = aScene()
        await expect(runs((transaction) => transaction[end]())).rejects.toMatchObject({
          code: 'TRANSACTION_WRONG_STATUS',
          message: expect.stringContaining('ended its transaction itself'),
        })
        expect(runs.statuses()).toHaveLength(1)
      })
    }

    test('is not called again when it committed itself and then failed', async () => {
      const { runs } = aScene()
      await expect(
        runs(async (transaction) => {
          await transaction.commit()
          throw new Busy('afterwards')
        }),
      ).rejects.toThrow('afterwards')
      expect(runs.statuses()).toEqual(['committed'])
    })

    test('must not leave a commit on its way', async () => {
      const { runs } = aScene()
      await expect(
        runs((transaction) => {
          transaction.join(aManager('slow', { log: [], waiting: true }))
          void transaction.commit()
        }),
      ).rejects.toMatchObject({ code: 'TRANSACTION_WRONG_STATUS' })
    })
  })

  describe('nesting', () => {
    test('is refused with advice, on any manager, and the outer one goes on', async () => {
      const { manager, runs } = aScene()
      const other = new ExplicitTransactionManager()
      await runs(async () => {
        for (const inner of [manager, other]) {
          await expect(run(inner, () => {})).rejects.toMatchObject({
            code: 'TRANSACTION_ALREADY_BEGUN',
            message: expect.stringContaining('savepoint'),
          })
        }
      })
      expect(runs.statuses()).toEqual(['committed'])
    })

    test('a running transaction of the same manager is refused and left alone', async () => {
      const { manager, runs } = aScene()
      const transaction = manager.begin()
      await expect(runs(() => {})).rejects.toMatchObject({ code: 'TRANSACTION_ALREADY_BEGUN' })
      expect(transaction.status).toBe('active')
      expect(manager.current).toBe(transaction)
    })

    test('work that outlives its transaction may run one', async () => {
      const { manager } = aScene()
      const ended = manager.begin()
      await manager.commit()
      expect(await runInTransactionScope(ended, () => run(manager, () => 'later'))).toBe('later')
    })
  })
})

type Fn = (transaction: Transaction) => unknown

/** Fails so often, then returns `done`. */
function failingTimes(
  times: number,
  error: (failure: number) => Error = () => new Busy('busy'),
): () => string {
  let failures = 0
  return () => {
    if (failures < times) throw error(++failures)
    return 'done'
  }
}

function aScene(options: RunOptions & RunTools = {}) {
  const manager = new ExplicitTransactionManager({ onError: () => {} })
  const errors: [string, string][] = []
  const slept: number[] = []
  let nowMs = 1000
  let duringSleep = (): void => {}
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      slept.push(ms)
      nowMs += ms
      duringSleep()
    },
  }
  const transactions: Transaction[] = []
  const runs = Object.assign(
    (fn: Fn) =>
      run(
        manager,
        (transaction) => {
          transactions.push(transaction)
          return fn(transaction)
        },
        {
          clock,
          random: () => 0,
          onError: (error, where) => errors.push([(error as Error).message, where]),
          ...options,
        },
      ),
    {
      transactions,
      statuses: (): TransactionStatus[] => transactions.map(({ status }) => status),
    },
  )
  const onSleep = (act: () => void): void => {
    duringSleep = act
  }
  return { manager, runs, errors, slept, clock, onSleep }
}
