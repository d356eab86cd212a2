import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from '@jest/globals'
import { ExplicitTransactionManager } from '../../lib/transaction/index.js'
import { aManager, aSynchronizer } from './recording-manager.js'

describe('Synchronizers', () => {
  test('are told of the beginning and the end of a commit', async () => {
    const { manager, log, register } = aScene()
    register('s')
    const transaction = manager.begin()
    transaction.join(aManager('m', { log }))
    await manager.commit()
    expect(log).toEqual([
      's.newTransaction:active',
      's.beforeCompletion:active',
      'm.tpcBegin',
      'm.commit',
      'm.tpcVote',
      'm.tpcFinish',
      's.afterCompletion:committed',
    ])
  })

  test('are told of the end of an abort when the manager has let go', async () => {
    const { manager, log, register } = aScene()
    const current: unknown[] = []
    register('s')
    const watching = {
      ...aSynchronizer('w', log),
      afterCompletion: () => void current.push(manager.current),
    }
    manager.registerSynchronizer(watching)
    manager.begin()
    await manager.abort()
    expect(log).toEqual([
      's.newTransaction:active',
      'w.newTransaction:active',
      's.beforeCompletion:active',
      'w.beforeCompletion:active',
      's.afterCompletion:aborted',
    ])
    expect(current).toEqual([undefined])
  })

  test('a commit is still current in afterCompletion', async () => {
    const { manager, log } = aScene()
    const current: unknown[] = []
    const watching = {
      ...aSynchronizer('w', log),
      afterCompletion: () => void current.push(manager.current),
    }
    manager.registerSynchronizer(watching)
    const transaction = manager.begin()
    await manager.commit()
    expect(current[0]).toBe(transaction)
    expect(manager.current).toBe(undefined)
  })

  test('one that registers during a transaction is told of it at once', () => {
    const { manager, log, register } = aScene()
    manager.begin()
    register('late')
    expect(log).toEqual(['late.newTransaction:active'])
  })

  test('one that refuses the running transaction is not registered', async () => {
    const { manager, log } = aScene()
    manager.begin()
    const refusing = aSynchronizer('r', log, { newTransaction: new Error('closed') })
    expect(() => manager.registerSynchronizer(refusing)).toThrow('closed')
    await manager.abort()
    expect(log).toEqual(['r.newTransaction:active'])
  })

  test('are compared by identity: registering twice counts once, unregistering ends it', () => {
    const { manager, log } = aScene()
    const synchronizer = aSynchronizer('s', log)
    const equal = aSynchronizer('t', log)
    manager.registerSynchronizer(synchronizer)
    manager.registerSynchronizer(synchronizer)
    manager.registerSynchronizer(equal)
    manager.unregisterSynchronizer(synchronizer)
    manager.unregisterSynchronizer(synchronizer)
    manager.begin()
    expect(log).toEqual(['t.newTransaction:active'])
  })

  test('the set may change while it is told: who was there is told, who came is not', () => {
    const { manager, log } = aScene()
    const leaving = aSynchronizer('leaving', log)
    const coming = aSynchronizer('coming', log)
    const changing = {
      ...aSynchronizer('changing', log),
      newTransaction: () => {
        manager.unregisterSynchronizer(leaving)
        manager.unregisterSynchronizer(changing)
        manager.registerSynchronizer(coming)
      },
    }
    manager.registerSynchronizer(changing)
    manager.registerSynchronizer(leaving)
    manager.begin()
    // `coming` hears of the running transaction by registering, once.
    expect(log).toEqual(['coming.newTransaction:active', 'leaving.newTransaction:active'])
  })

  test('an error in newTransaction takes the begin back', async () => {
    const { manager, log, errors } = aScene()
    const joined = aManager('m', { log, failing: { abort: new Error('stuck') } })
    const joining = {
      ...aSynchronizer('j', log),
      newTransaction: () => manager.get().join(joined),
    }
    const refusing = aSynchronizer('r', log, { newTransaction: new Error('closed') })
    manager.registerSynchronizer(joining)
    manager.registerSynchronizer(refusing)
    expect(() => manager.begin()).toThrow('closed')
    expect(manager.current).toBe(undefined)
    expect(log).toEqual(['r.newTransaction:active', 'j.afterCompletion:active', 'm.abort'])
    expect(errors).toEqual([['stuck', 'abort']])

    manager.unregisterSynchronizer(refusing)
    manager.begin()
    expect(manager.current?.status).toBe('active')
  })

  test('a rejected abort of a begin taken back is reported', async () => {
    const { manager, log, errors } = aScene()
    const joined = aManager('m', { log, waiting: true, failing: { abort: new Error('stuck') } })
    const refusing = {
      ...aSynchronizer('r', log),
      newTransaction: () => {
        manager.get().join(joined)
        throw new Error('closed')
      },
    }
    manager.registerSynchronizer(refusing)
    expect(() => manager.begin()).toThrow('closed')
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(errors).toEqual([['stuck', 'abort']])
  })

  test('an error in beforeCompletion keeps the commit from beginning', async () => {
    const { manager, log } = aScene()
    const refusing = aSynchronizer('r', log, { beforeCompletion: new Error('not yet') })
    manager.registerSynchronizer(refusing)
    const transaction = manager.begin()
    transaction.join(aManager('m', { log }))
    await expect(manager.commit()).rejects.toThrow('not yet')
    expect(transaction.status).toBe('active')
    manager.unregisterSynchronizer(refusing)
    await manager.commit()
    expect(transaction.status).toBe('committed')
    expect(log.filter((entry) => entry === 'm.tpcBegin')).toHaveLength(1)
  })

  test('an error in beforeCompletion of an abort is thrown when everything is done', async () => {
    const { manager, log, register } = aScene()
    const refusing = aSynchronizer('r', log, { beforeCompletion: new Error('not yet') })
    manager.registerSynchronizer(refusing)
    register('s')
    manager.begin().join(aManager('m', { log }))
    log.length = 0
    await expect(manager.abort()).rejects.toThrow('not yet')
    expect(log).toEqual([
      'r.beforeCompletion:active',
      's.beforeCompletion:active',
      'm.abort',
      'r.afterCompletion:aborted',
      's.afterCompletion:aborted',
    ])
  })

  test('an error in afterCompletion is reported, and the others are told', async () => {
    const { manager, log, errors, register } = aScene()
    const failing = aSynchronizer('f', log, { afterCompletion: new Error('late') })
    manager.registerSynchronizer(failing)
    register('s')
    const transaction = manager.begin()
    await manager.commit()
    expect(transaction.status).toBe('committed')
    expect(errors).toEqual([['late', 'afterCompletion']])
    expect(log).toContain('s.afterCompletion:committed')
  })

  test('one that joins in beforeCompletion takes part in the commit', async () => {
    const { manager, log } = aScene()
    const joining = {
      ...aSynchronizer('j', log),
      beforeCompletion: () => manager.get().join(aManager('m', { log })),
    }
    manager.registerSynchronizer(joining)
    manager.begin()
    await manager.commit()
    expect(log).toContain('m.tpcFinish')
  })

  test('one that dooms in beforeCompletion keeps the commit from beginning', async () => {
    const { manager, log } = aScene()
    const dooming = { ...aSynchronizer('d', log), beforeCompletion: () => manager.doom() }
    manager.registerSynchronizer(dooming)
    manager.begin().join(aManager('m', { log }))
    await expect(manager.commit()).rejects.toMatchObject({ code: 'TRANSACTION_DOOMED' })
    expect(manager.isDoomed()).toBe(true)
    expect(log).not.toContain('m.tpcBegin')
  })

  test('are held weakly: one that nobody else holds is forgotten', async () => {
    const { manager, log, register } = aScene()
    register('held')
    const registerAndDrop = (): void => manager.registerSynchronizer(aSynchronizer('dropped', log))
    registerAndDrop()
    await collectGarbage()
    manager.begin()
    expect(log).toEqual(['held.newTransaction:active'])
  })

  test('are held by the manager when it is told to', async () => {
    const { manager, log } = aScene()
    const registerAndDrop = (): void =>
      manager.registerSynchronizer(aSynchronizer('held', log), { isHeld: true })
    registerAndDrop()
    await collectGarbage()
    manager.begin()
    expect(log).toEqual(['held.newTransaction:active'])
  })
})

/** A WeakRef keeps its target until the turn in which it was made is over. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await new Promise((resolve) => setImmediate(resolve))
  collect()
}

function aScene() {
  const log: string[] = []
  const errors: [unknown, string][] = []
  const manager = new ExplicitTransactionManager({
    onError: (error, where) => errors.push([(error as Error).message, where]),
  })
  const kept: object[] = [] // registered ones are held by nobody else
  const register = (name: string): void => {
    const synchronizer = aSynchronizer(name, log)
    kept.push(synchronizer)
    manager.registerSynchronizer(synchronizer)
  }
  return { manager, log, errors, register, kept }
}
