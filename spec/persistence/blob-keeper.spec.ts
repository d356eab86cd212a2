import { describe, expect, test } from '@jest/globals'
import { BlobKeeper } from '../../lib/persistence/blob-keeper.js'
import {
  type BlobName,
  formatBlobName,
  type Storage,
  type Tid,
  toOid,
} from '../../lib/storage/index.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

const NAME = { oid: toOid(1), contentId: '0a'.repeat(16) }
const OTHER = { oid: toOid(2), contentId: '0b'.repeat(16) }

async function aStorageWith(names: readonly BlobName[]): Promise<WrappedStorage> {
  const storage = new WrappedStorage()
  await storage.open()
  for (const name of names) {
    const draft = await storage.blobs.create()
    await draft.finish()
    await storage.blobs.place(draft, name)
  }
  return storage
}

async function namesIn(storage: Storage): Promise<readonly string[]> {
  const names: string[] = []
  for await (const name of storage.blobs.list()) names.push(formatBlobName(name))
  return names
}

function aKeeper(storage: Storage, oldest: () => number = () => 5): BlobKeeper {
  return new BlobKeeper({
    storage,
    newestTid: () => 5 as Tid,
    oldestReadTid: () => oldest() as Tid,
    report: (error) => {
      throw error
    },
  })
}

describe('A keeper of contents', () => {
  test('removes what is superseded once nobody reads what was before', async () => {
    const storage = await aStorageWith([NAME])
    let oldest = 3
    const keeper = aKeeper(storage, () => oldest)
    keeper.supersede(NAME, 4 as Tid)
    keeper.release()
    expect(await namesIn(storage)).toHaveLength(1)
    oldest = 4
    keeper.release()
    await keeper.close()
    expect(await namesIn(storage)).toEqual([])
    await storage.close()
  })

  test('removes the rest when it is closed', async () => {
    const storage = await aStorageWith([NAME])
    const keeper = aKeeper(storage, () => 0)
    keeper.supersede(NAME, 4 as Tid)
    await keeper.close()
    expect(await namesIn(storage)).toEqual([])
    await storage.close()
  })

  test('sweeps away what no record names, and leaves what is in flight', async () => {
    const storage = await aStorageWith([NAME, OTHER])
    const keeper = aKeeper(storage)
    keeper.setInFlight(OTHER, true)
    await keeper.sweep(new AbortController().signal)
    expect(await namesIn(storage)).toEqual([formatBlobName(OTHER)])
    keeper.setInFlight(OTHER, false)
    await keeper.sweep(new AbortController().signal)
    expect(await namesIn(storage)).toEqual([])
    await storage.close()
  })

  test('ends a sweep with the reason of its signal', async () => {
    const storage = await aStorageWith([NAME])
    const reason = new Error('over')
    await expect(aKeeper(storage).sweep(AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(await namesIn(storage)).toHaveLength(1)
    await storage.close()
  })

  test('removes nothing that a power loss may bring back', async () => {
    const storage = await aStorageWith([NAME])
    storage.syncedTid = 4 as Tid
    const keeper = aKeeper(storage)
    await keeper.sweep(new AbortController().signal)
    keeper.release()
    expect(await namesIn(storage)).toHaveLength(1)
    storage.syncedTid = 5 as Tid
    keeper.release()
    await keeper.close()
    expect(await namesIn(storage)).toEqual([])
    await storage.close()
  })

  test('leaves to the next opening what it cannot decide when it is closed', async () => {
    const storage = await aStorageWith([NAME])
    await storage.blobs.confirm(NAME)
    storage.syncedTid = 4 as Tid
    const keeper = aKeeper(storage)
    await keeper.sweep(new AbortController().signal)
    await keeper.close()
    expect(await namesIn(storage)).toHaveLength(1)
    await aKeeper(storage).recover()
    expect(await namesIn(storage)).toEqual([])
    await storage.close()
  })

  test('recovers by what records name', async () => {
    const storage = await aStorageWith([NAME])
    await aKeeper(storage).recover()
    expect([await namesIn(storage), await storage.blobs.uncertain()]).toEqual([[], []])
    await storage.close()
  })
})
