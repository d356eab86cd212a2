import { describe, expect, test } from '@jest/globals'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { ClassTable } from '../../lib/persistence/class-table.js'
import { CommittedState } from '../../lib/persistence/committed-state.js'
import { DanglingReferenceError, oidOf } from '../../lib/persistence/index.js'
import { slotsOf } from '../../lib/persistence/persistent.js'
import { Reference } from '../../lib/persistence/reference.js'
import { StateCache } from '../../lib/persistence/state-cache.js'
import { toOid, toTid } from '../../lib/storage/index.js'
import { aDatabaseWithBob, bobOf, Employee } from '../support/persistence-builders.js'
import { errorOf } from '../support/storage-builders.js'

test('a reference is the oid and nothing else', () => {
  expect(Object.entries(new Reference(toOid(5)))).toEqual([['oid', 5]])
})

test('a connection reads its own object for it', async () => {
  const db = await aDatabaseWithBob({ boss: new Employee({ title: 'boss' }) })
  db.cacheClear()
  await db.view((context) => {
    const bob = bobOf(context)
    expect(slotsOf(bob).values[2]).toBeInstanceOf(Reference)
    expect(bob.boss).toBe(context.connection.get(oidOf(bob.boss!)!))
  })
})

describe('A reference has a state at hand', () => {
  const layout = new ClassTable([]).layoutFor(layoutOf(Employee))
  const aState = (serial: number, oid = 5): CommittedState =>
    new CommittedState(toOid(oid), toTid(serial), layout, [], 100)

  const aScene = () => ({
    cache: new StateCache(1_000_000),
    reference: new Reference(toOid(5)),
    state: aState(3),
  })

  test('while that is in the cache of all connections', () => {
    const { cache, reference, state } = aScene()
    reference.keep(state)
    expect(reference.stateAt(9)).toBeUndefined() // it is not there yet
    cache.put(state)
    reference.keep(state)
    expect(reference.stateAt(9)).toBe(state)
    cache.put(aState(4))
    expect(reference.stateAt(9)).toBeUndefined()
  })

  test('until the cache lets it go, is cleared, or has no room', () => {
    const endings: ((cache: StateCache) => void)[] = [
      (cache) => cache.delete(toOid(5)),
      (cache) => cache.clear(),
      (cache) => {
        for (let oid = 10; oid < 20; oid++) cache.put(aState(1, oid))
        for (let oid = 20; oid < 30; oid++) cache.put(aState(1, oid))
      },
    ]
    for (const end of endings) {
      const [cache, reference] = [new StateCache(aState(1).bytes * 5), new Reference(toOid(5))]
      const state = aState(3)
      cache.put(state)
      reference.keep(state)
      end(cache)
      expect(reference.stateAt(9)).toBeUndefined()
    }
  })

  test('that the reader sees', () => {
    const { cache, reference, state } = aScene()
    cache.put(state)
    reference.keep(state)
    expect([reference.stateAt(2), reference.stateAt(3)]).toEqual([undefined, state])
  })

  test('as the last one that was followed', () => {
    const [cache, state] = [new StateCache(1_000_000), aState(3)]
    const [first, second] = [new Reference(toOid(5)), new Reference(toOid(5))]
    cache.put(state)
    first.keep(state)
    second.keep(state)
    expect([first.stateAt(9), second.stateAt(9)]).toEqual([undefined, state])
  })

  test('and following it is a use, as the cache counts', () => {
    const { cache, reference, state } = aScene()
    cache.put(state)
    reference.keep(state)
    state.takeUsed()
    reference.stateAt(9)
    expect(state.takeUsed()).toBe(true)
  })
})

test('connections that follow one reference read what each one sees', async () => {
  const db = await aDatabaseWithBob({ boss: new Employee({ title: 'boss' }) })
  const bossIn = (context: Parameters<typeof bobOf>[0]): string => bobOf(context).boss!.title
  await db.view(bossIn)
  let tellChanged = (): void => {}
  const changed = new Promise<void>((resolve) => {
    tellChanged = resolve
  })
  const early = db.view(async (context) => {
    bobOf(context) // of the epoch before the change
    await changed
    return bossIn(context)
  })
  await db.transaction((context) => {
    bobOf(context).boss!.title = 'owner'
  })
  const titles = [await db.view(bossIn)]
  tellChanged()
  titles.push(await early, await db.view(bossIn))
  expect(titles).toEqual(['owner', 'boss', 'owner'])
})

test('one that leads nowhere is an error that names the oid', async () => {
  const db = await aDatabaseWithBob()
  const error = await errorOf(() =>
    db.view(({ connection }) => connection.resolve(new Reference(toOid(99)))),
  )
  expect(error).toBeInstanceOf(DanglingReferenceError)
  expect(error.message).toMatch(/0000000000000063.*restore a backup/)
})
