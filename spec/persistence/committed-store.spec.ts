import { describe, expect, test } from '@jest/globals'
import { systemClock } from '../../lib/foundation/index.js'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { CommitWriter } from '../../lib/persistence/commit-writer.js'
import { CommittedState } from '../../lib/persistence/committed-state.js'
import { CommittedStore } from '../../lib/persistence/committed-store.js'
import { encodeState } from '../../lib/persistence/state-codec.js'
import { createMemoryStorage, toOid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'
import { METADATA } from '../support/storage-builders.js'

const OID = toOid(0)

async function aStore(cacheBytes = 1_000_000) {
  const storage = createMemoryStorage()
  await storage.open()
  const store = new CommittedStore(storage, cacheBytes)
  const writer = new CommitWriter({
    storage,
    store,
    durability: 'relaxed',
    clock: systemClock,
    onBroken: () => undefined,
  })
  const write = async (title: string): Promise<void> => {
    const layout = store.classes.layoutFor(layoutOf(Employee))
    const values = [title, [], undefined, undefined]
    const state = encodeState(values, layout)
    const tid = writer.nextTid
    await writer.submit({
      commit: {
        tid,
        metadata: METADATA,
        records: [{ oid: OID, classId: store.classes.idFor(layout), state }],
        classes: store.classes.takeUnwritten(),
      },
      states: [new CommittedState(OID, tid, layout, values, state.length)],
      trees: [],
      adopt: () => {},
    })
  }
  const remove = (): PromiseLike<void> => {
    const tid = writer.nextTid
    const commit = { tid, metadata: METADATA, records: [], classes: [], removed: [OID] }
    return writer.submit({ commit, states: [], trees: [], adopt: () => {} })
  }
  return { store, write, remove }
}

const titleOf = (state: CommittedState | undefined): unknown => state?.values[0]

describe('Committed store', () => {
  test.each([1, 1_000_000])(
    'an old epoch reads old revisions, with a cache of %i bytes',
    async (cacheBytes) => {
      const { store, write } = await aStore(cacheBytes)
      await write('first')
      const old = store.epochs.acquire()
      await write('second')
      for (let again = 0; again < 3; again++) {
        expect(titleOf(store.stateAt(old, OID))).toBe('first')
        expect(titleOf(store.stateAt(store.epochs.current, OID))).toBe('second')
        expect(titleOf(store.cache.get(OID)) ?? 'second').toBe('second')
        store.cache.clear()
      }
    },
  )

  test('gives the record of a state that is not in memory, and leaves it there', async () => {
    const { store, write } = await aStore()
    await write('first')
    const old = store.epochs.acquire()
    await write('second')
    const { current } = store.epochs
    expect(store.recordUnlessCached(current, OID)).toBeUndefined()
    store.cache.clear()
    for (const [epoch, title] of [
      [old, 'first'],
      [current, 'second'],
    ] as const) {
      const record = store.recordUnlessCached(epoch, OID)
      expect(titleOf(record && store.decode(record))).toBe(title)
    }
    expect(store.cache.size).toBe(0)
    expect(store.recordUnlessCached(current, toOid(9))).toBeUndefined()
    store.stateAt(old, OID)
    expect(store.recordUnlessCached(old, OID)).toBeUndefined()
  })

  test('what an old epoch loads never enters the shared cache', async () => {
    const { store, write } = await aStore()
    await write('first')
    const old = store.epochs.acquire()
    await write('second')
    store.cache.clear()
    store.stateAt(old, OID)
    expect(store.cache.size).toBe(0)
    store.stateAt(store.epochs.current, OID)
    expect(titleOf(store.cache.get(OID))).toBe('second')
  })

  test('a commit in flight is the newest state, and is not published', async () => {
    const { store, write } = await aStore()
    await write('first')
    const writing = write('second')
    expect(titleOf(store.newest(OID))).toBe('second')
    expect(titleOf(store.stateAt(store.epochs.current, OID))).toBe('first')
    store.cache.clear()
    expect(titleOf(store.stateAt(store.epochs.current, OID))).toBe('first')
    await writing
    expect(titleOf(store.stateAt(store.epochs.current, OID))).toBe('second')
  })

  test('what a commit removes is gone at once for validation, for readers when it is published', async () => {
    const { store, write, remove } = await aStore()
    await write('first')
    const old = store.epochs.acquire()
    const removing = remove()
    expect(store.newest(OID)).toBeUndefined()
    expect(store.newestInMemory(OID)).toBeUndefined()
    expect(titleOf(store.stateAt(store.epochs.current, OID))).toBe('first')
    await removing
    expect(store.stateAt(store.epochs.current, OID)).toBeUndefined()
    expect(titleOf(store.stateAt(old, OID))).toBe('first')
    expect(store.cache.size).toBe(0)
    expect(store.removalOf(OID)).toBe(2)
  })

  test('what was removed can come back', async () => {
    const { store, write, remove } = await aStore()
    await write('first')
    const removing = remove()
    const writing = write('second')
    expect(titleOf(store.newest(OID))).toBe('second')
    expect(store.hasRemovals).toBe(false)
    await Promise.all([removing, writing])
    expect(titleOf(store.stateAt(store.epochs.current, OID))).toBe('second')
    expect(store.removalOf(OID)).toBeUndefined()
  })

  test('gives each oid once', async () => {
    const { store, write } = await aStore()
    await write('first')
    expect(store.newOid()).not.toBe(store.newOid())
    expect(store.stateAt(store.epochs.current, toOid(77))).toBeUndefined()
  })
})
