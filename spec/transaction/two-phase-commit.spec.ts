import { describe, expect, test } from '@jest/globals'
import { ExplicitTransactionManager } from '../../lib/transaction/index.js'
import { isPartlyFinished } from '../../lib/transaction/two-phase-commit.js'
import { aManager, type RecordingOptions } from './recording-manager.js'

const REFUSAL = new Error('refused')

describe('Two-phase commit', () => {
  test('every phase is over in all managers before the next begins, by rising sort key', async () => {
    const { transaction, log, join } = aScene()
    join('b')
    join('a')
    await transaction.commit()
    expect(log).toEqual([
      'a.tpcBegin',
      'b.tpcBegin',
      'a.commit',
      'b.commit',
      'a.tpcVote',
      'b.tpcVote',
      'a.tpcFinish',
      'b.tpcFinish',
    ])
  })

  test('sort keys are compared as text, and equal ones keep the order of joining', async () => {
    const { transaction, log, join } = aScene()
    join('ten', { sortKey: '10' })
    join('second', { sortKey: '9' })
    join('third', { sortKey: '9' })
    await transaction.commit()
    expect(log.slice(0, 3)).toEqual(['ten.tpcBegin', 'second.tpcBegin', 'third.tpcBegin'])
  })

  test('managers that return nothing are finished before commit() returns its promise', async () => {
    const { transaction, log, join } = aScene()
    join('a')
    join('b')
    const commit = transaction.commit()
    expect(log.at(-1)).toBe('b.tpcFinish')
    await commit
  })

  test('a manager that waits is waited for in each phase', async () => {
    const { transaction, log, join } = aScene()
    join('a', { waiting: true })
    join('b')
    const commit = transaction.commit()
    expect(log).toEqual(['a.tpcBegin'])
    await commit
    expect(log).toEqual([
      'a.tpcBegin',
      'b.tpcBegin',
      'a.commit',
      'b.commit',
      'a.tpcVote',
      'b.tpcVote',
      'a.tpcFinish',
      'b.tpcFinish',
    ])
  })

  for (const waiting of [false, true]) {
    const how = waiting ? 'rejects' : 'throws'

    for (const phase of ['tpcBegin', 'commit', 'tpcVote'] as const) {
      test(`when ${phase} ${how}, those that have not voted are aborted, then all tpcAbort`, async () => {
        const { transaction, log, join } = aScene()
        join('a', { waiting })
        join('b', { waiting, failing: { [phase]: REFUSAL } })
        join('c', { waiting })
        await expect(transaction.commit()).rejects.toBe(REFUSAL)
        const cleanUp = log.slice(log.indexOf(`b.${phase}`) + 1)
        const unvoted = phase === 'tpcVote' ? ['b', 'c'] : ['a', 'b', 'c']
        expect(cleanUp).toEqual([
          ...unvoted.map((name) => `${name}.abort`),
          'a.tpcAbort',
          'b.tpcAbort',
          'c.tpcAbort',
        ])
      })
    }

    test(`when tpcFinish ${how}, all tpcAbort, the finished ones too, and it is reported`, async () => {
      const { transaction, log, errors, join } = aScene()
      join('a', { waiting })
      join('b', { waiting, failing: { tpcFinish: REFUSAL } })
      join('c', { waiting })
      await expect(transaction.commit()).rejects.toBe(REFUSAL)
      expect(log.slice(log.indexOf('a.tpcFinish'))).toEqual([
        'a.tpcFinish',
        'b.tpcFinish',
        'a.tpcAbort',
        'b.tpcAbort',
        'c.tpcAbort',
      ])
      expect(errors).toEqual([['refused', 'tpcFinish']])
      expect(isPartlyFinished(transaction)).toBe(true)
    })

    test(`when the first tpcFinish ${how}, nothing is final yet`, async () => {
      const { transaction, join } = aScene()
      join('a', { waiting, failing: { tpcFinish: REFUSAL } })
      join('b', { waiting })
      await expect(transaction.commit()).rejects.toBe(REFUSAL)
      expect(isPartlyFinished(transaction)).toBe(false)
    })

    test(`clean-up goes on when one of its steps ${how}, and reports it`, async () => {
      const { transaction, log, errors, join } = aScene()
      const failing = { abort: new Error('abort'), tpcAbort: new Error('tpcAbort') }
      join('a', { waiting, failing })
      join('b', { waiting, failing: { commit: REFUSAL } })
      await expect(transaction.commit()).rejects.toBe(REFUSAL)
      expect(log.slice(-4)).toEqual(['a.abort', 'b.abort', 'a.tpcAbort', 'b.tpcAbort'])
      expect(errors).toEqual([
        ['abort', 'abort'],
        ['tpcAbort', 'tpcAbort'],
      ])
    })
  }

  test('a manager that joined twice and voted once is not aborted', async () => {
    const { transaction, log, join } = aScene()
    const twice = join('a')
    transaction.join({
      ...twice,
      sortKey: 'b',
      tpcVote: () => {
        throw REFUSAL
      },
    })
    transaction.join(twice)
    await expect(transaction.commit()).rejects.toBe(REFUSAL)
    expect(log.filter((entry) => entry === 'a.tpcVote')).toHaveLength(2)
    // The one abort is that of the third manager, which logs under the name of its model.
    expect(log.filter((entry) => entry === 'a.abort')).toHaveLength(1)
  })

  test('a sort key that cannot be read fails the commit and cleans up', async () => {
    const { transaction, log, join } = aScene()
    join('a')
    transaction.join({
      ...aManager('b', { log }),
      get sortKey(): string {
        throw REFUSAL
      },
    })
    await expect(transaction.commit()).rejects.toBe(REFUSAL)
    expect(log).toEqual(['a.abort', 'b.abort', 'a.tpcAbort', 'b.tpcAbort'])
  })

  test('even undefined can be thrown', async () => {
    const { transaction, join } = aScene()
    join('a', { failing: { commit: undefined } })
    await expect(transaction.commit()).rejects.toBe(undefined)
    expect(transaction.status).toBe('commitFailed')
    await expect(transaction.commit()).rejects.toMatchObject({ code: 'TRANSACTION_FAILED' })
  })
})

function aScene() {
  const log: string[] = []
  const errors: [string, string][] = []
  const manager = new ExplicitTransactionManager({
    onError: (error, where) => errors.push([(error as Error).message, where]),
  })
  const transaction = manager.begin()
  const join = (name: string, options: Omit<RecordingOptions, 'log'> = {}) => {
    const joined = aManager(name, { log, ...options })
    transaction.join(joined)
    return joined
  }
  return { transaction, log, errors, join }
}
