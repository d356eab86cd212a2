import { expect, test } from '@jest/globals'
import { readWhole } from '../../lib/storage/blob-reading.js'
import { type BlobName, type BlobStore, toOid } from '../../lib/storage/index.js'
import { MemoryBlobs } from '../../lib/storage/memory-blobs.js'
import { OverlayBlobs } from '../../lib/storage/overlay-blobs.js'

async function put(store: BlobStore, oid: number, text: string): Promise<BlobName> {
  const draft = await store.create()
  await draft.write(Buffer.from(text))
  await draft.finish()
  const name = { oid: toOid(oid), contentId: draft.contentId }
  await store.place(draft, name)
  return name
}

async function textOf(store: BlobStore, name: BlobName): Promise<string | undefined> {
  const content = store.open(name)
  return content && Buffer.from(await readWhole(content)).toString()
}

async function oidsIn(store: BlobStore): Promise<number[]> {
  const oids: number[] = []
  for await (const { oid } of store.list()) oids.push(oid)
  return oids.sort()
}

test('Contents of the base are read, new ones go above it', async () => {
  const [base, changes] = [new MemoryBlobs(), new MemoryBlobs()]
  const old = await put(base, 1, 'old')
  const store = new OverlayBlobs(base, changes)
  const fresh = await put(store, 2, 'fresh')
  expect([await textOf(store, old), await textOf(store, fresh)]).toEqual(['old', 'fresh'])
  expect(await oidsIn(store)).toEqual([1, 2])
  expect(await oidsIn(base)).toEqual([1])
  expect((await store.uncertain()).map(({ oid }) => oid)).toEqual([2])
  await store.confirm(fresh)
  await store.confirm(old)
  expect(await store.uncertain()).toEqual([])
})

test('Contents of the base can be removed for those above, and copied', async () => {
  const [base, changes] = [new MemoryBlobs(), new MemoryBlobs()]
  const old = await put(base, 1, 'old')
  const store = new OverlayBlobs(base, changes)
  const copy = { oid: toOid(3), contentId: 'a'.repeat(32) }
  expect(await store.copy(old, copy)).toBe(true)
  await store.remove(old)
  expect([await textOf(store, old), await textOf(store, copy)]).toEqual([undefined, 'old'])
  expect([await textOf(base, old), await oidsIn(store)]).toEqual(['old', [3]])
  const missing = { oid: toOid(9), contentId: 'b'.repeat(32) }
  expect(await store.copy(missing, copy)).toBe(false)
  await store.remove(copy)
  expect(await oidsIn(store)).toEqual([])
})
