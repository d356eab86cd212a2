import { describe, expect, test } from '@jest/globals'
import { systemClock } from '../../lib/foundation/index.js'
import { CommitWriter } from '../../lib/persistence/commit-writer.js'
import { CommittedStore } from '../../lib/persistence/committed-store.js'
import type { Tid } from '../../lib/storage/index.js'
import { codeThrownBy, METADATA } from '../support/storage-builders.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

async function aWriter() {
  const storage = new WrappedStorage()
  await storage.open()
  const store = new CommittedStore(storage, 1000)
  const broken: unknown[] = []
  const writer = new CommitWriter({
    storage,
    store,
    durability: 'sync',
    clock: systemClock,
    onBroken: (error) => broken.push(error),
  })
  const adopted: Tid[] = []
  const submit = async () => {
    const tid = writer.nextTid
    await writer.submit({
      commit: { tid, metadata: METADATA, records: [], classes: [] },
      states: [],
      trees: [],
      adopt: () => adopted.push(tid),
    })
  }
  return { storage, store, writer, submit, adopted, broken }
}

describe('Commit writer', () => {
  test('while one batch is on its way, later commits gather in the next', async () => {
    const { storage, store, submit } = await aWriter()
    await Promise.all(Array.from({ length: 10 }, submit))
    expect(storage.batches.map((batch) => batch.map(({ tid }) => tid))).toEqual([
      [1],
      [2, 3, 4, 5, 6, 7, 8, 9, 10],
    ])
    expect([store.epochs.current.tid, store.counters.commits]).toEqual([10, 10])
  })

  test('a commit is published when it resolves, and not before it is written', async () => {
    const { storage, store, writer, submit } = await aWriter()
    const seen: number[] = []
    storage.beforeWrite = () => void seen.push(store.epochs.current.tid)
    const first = submit().then(() => seen.push(store.epochs.current.tid))
    const second = submit().then(() => seen.push(store.epochs.current.tid))
    await Promise.all([first, second, writer.published(2 as Tid)])
    expect(seen).toEqual([0, 1, 1, 2])
  })

  test('a commit is adopted in the step in which it is published', async () => {
    const { store, submit, adopted } = await aWriter()
    const first = submit()
    expect(adopted).toEqual([])
    await first
    expect(adopted).toEqual([1])
    expect(store.epochs.current.tid).toBe(1)
  })

  test('a failed write fails everything after it, and is told once', async () => {
    const { storage, writer, submit, broken } = await aWriter()
    storage.beforeWrite = () => {
      throw new Error('disk')
    }
    const outcomes = await Promise.all([submit, submit, submit].map((it) => codeThrownBy(it)))
    expect(outcomes).toEqual(['Error: disk', 'STORAGE_OUTCOME_UNKNOWN', 'STORAGE_OUTCOME_UNKNOWN'])
    storage.beforeWrite = () => undefined
    expect(await codeThrownBy(submit)).toBe('STORAGE_OUTCOME_UNKNOWN')
    expect([storage.batches.length, broken.length]).toEqual([0, 1])
    await writer.close()
  })

  test('closing waits for what was submitted, and refuses the rest', async () => {
    const { storage, writer, submit } = await aWriter()
    const submitted = Promise.all([submit(), submit()])
    const closed = writer.close()
    expect(await codeThrownBy(submit)).toBe('STORAGE_CLOSED')
    await closed
    expect(storage.batches.flat()).toHaveLength(2)
    await submitted
  })

  test('one at a time validates', async () => {
    const { writer } = await aWriter()
    expect(writer.enter()).toBeUndefined()
    let entered = false
    const waiting = writer.enter()!.then(() => {
      entered = true
    })
    await Promise.resolve()
    expect(entered).toBe(false)
    writer.leave()
    await waiting
    expect(writer.enter()).toBeUndefined()
  })
})
