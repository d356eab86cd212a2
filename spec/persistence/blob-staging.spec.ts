import { describe, expect, test } from '@jest/globals'
import { rememberDraft } from '../../lib/persistence/blob-drafts.js'
import { BlobKeeper } from '../../lib/persistence/blob-keeper.js'
import { BlobStaging, contentOf } from '../../lib/persistence/blob-staging.js'
import { Blob } from '../../lib/persistence/index.js'
import { createMemoryStorage, type Tid } from '../../lib/storage/index.js'
import { codeThrownBy } from '../support/storage-builders.js'

async function aStaging(): Promise<BlobStaging> {
  const storage = createMemoryStorage()
  await storage.open()
  const keeper = new BlobKeeper({
    storage,
    newestTid: () => 1 as Tid,
    oldestReadTid: () => 1 as Tid,
    report: (error) => {
      throw error
    },
  })
  return new BlobStaging(keeper)
}

describe('The staging of blobs', () => {
  test('refuses to place anything while a blob is being written', async () => {
    const staging = await aStaging()
    const write = staging.begin(new Blob())
    expect(await codeThrownBy(() => staging.place([]))).toBe('PERSISTENCE_BLOB_UNFINISHED')
    staging.end(write)
    expect(await staging.place([])).toEqual([])
  })

  test('stops the writes under way when it is discarded', async () => {
    const staging = await aStaging()
    const { stop } = staging.begin(new Blob())
    await staging.discard()
    expect(stop.signal.aborted).toBe(true)
  })

  test('keeps in a rollback what its blob still has', async () => {
    const staging = await aStaging()
    const blob = new Blob()
    await blob.write(['hello'])
    staging.stage(blob, contentOf(blob)!.id)
    const other = await staging.store.create()
    await other.finish()
    rememberDraft(other)
    staging.stage(blob, other.contentId)
    expect(staging.count).toBe(2)
    await staging.rollbackTo(0)
    expect(staging.count).toBe(1)
    expect(other.open()).toBeUndefined()
    expect((await blob.bytes()).toString()).toBe('hello')
    await staging.discard()
    expect(staging.isEmpty).toBe(true)
    expect(await codeThrownBy(() => blob.bytes())).toBe('PERSISTENCE_BLOB_DISCARDED')
  })
})
