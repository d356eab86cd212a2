import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { readWhole } from '../../lib/storage/blob-reading.js'
import type { BlobDraft, BlobName, BlobStore } from '../../lib/storage/index.js'
import { toOid } from '../../lib/storage/index.js'
import { looseDrafts } from '../../lib/storage/loose-drafts.js'

/** What every store of contents promises. */
export function describeBlobStore(
  name: string,
  { create }: { readonly create: () => Promise<BlobStore> },
): void {
  describe(`${name} keeps the promises of a store`, () => {
    let store: BlobStore

    beforeEach(async () => {
      store = await create()
    })

    const aName = (oid = 7): BlobName => ({ oid: toOid(oid), contentId: 'ab'.repeat(16) })

    async function aDraft(
      text: string,
      maker: Pick<BlobStore, 'create'> = store,
    ): Promise<BlobDraft> {
      const draft = await maker.create()
      await draft.write(Buffer.from(text))
      await draft.finish()
      return draft
    }

    async function textOf(blob: BlobName): Promise<string | undefined> {
      const source = store.open(blob)
      return source && Buffer.from(await readWhole(source)).toString()
    }

    async function listed(): Promise<readonly BlobName[]> {
      const names: BlobName[] = []
      for await (const one of store.list()) names.push(one)
      return names
    }

    test('a draft is read once it is finished, and is in no list', async () => {
      const draft = await store.create()
      await draft.write(Buffer.from('he'))
      await draft.write(Buffer.from('llo'))
      await draft.finish()
      const source = draft.open()
      expect(source?.size).toBe(5)
      expect(Buffer.from(await source!.read(1, 2)).toString()).toBe('el')
      expect(await source!.read(5, 2)).toHaveLength(0)
      source?.close()
      source?.close()
      expect(await listed()).toEqual([])
      await draft.discard()
      await draft.discard()
      expect(draft.open()).toBeUndefined()
    })

    test('a content is there once it was placed, and uncertain until it is confirmed', async () => {
      await store.place(await aDraft('hello'), aName())
      expect(await textOf(aName())).toBe('hello')
      expect(await listed()).toEqual([aName()])
      expect(await store.uncertain()).toEqual([aName()])
      await store.confirm(aName())
      expect(await store.uncertain()).toEqual([])
      await store.doubt(aName())
      expect(await store.uncertain()).toEqual([aName()])
    })

    test('a draft that was placed is still read, and not discarded with the content', async () => {
      const draft = await aDraft('hello')
      await store.place(draft, aName())
      const source = draft.open()
      expect(Buffer.from(await readWhole(source!)).toString()).toBe('hello')
      await draft.discard()
      expect(await textOf(aName())).toBe('hello')
    })

    test('one draft can be the content of several blobs', async () => {
      const draft = await aDraft('hello')
      await store.place(draft, aName(1))
      await store.place(draft, aName(2))
      await store.remove(aName(1))
      expect([await textOf(aName(1)), await textOf(aName(2))]).toEqual([undefined, 'hello'])
    })

    test('drafts from elsewhere are copied', async () => {
      const draft = await aDraft('hello', looseDrafts)
      await store.place(draft, aName())
      await draft.discard()
      expect(await textOf(aName())).toBe('hello')
    })

    test('a content is copied to another blob, if it is there', async () => {
      await store.place(await aDraft('hello'), aName(1))
      expect(await store.copy(aName(1), aName(2))).toBe(true)
      await store.remove(aName(1))
      expect(await textOf(aName(2))).toBe('hello')
      expect(await store.copy(aName(3), aName(4))).toBe(false)
      expect([...(await store.uncertain())]).toEqual([aName(2)])
    })

    test('what was removed is neither there nor uncertain, and may be removed again', async () => {
      await store.place(await aDraft('hello'), aName())
      await store.remove(aName())
      await store.remove(aName())
      expect([await textOf(aName()), await store.uncertain(), await listed()]).toEqual([
        undefined,
        [],
        [],
      ])
    })

    test('what is open is read, though it is removed', async () => {
      await store.place(await aDraft('hello'), aName())
      const source = store.open(aName())
      await store.remove(aName())
      expect(Buffer.from(await readWhole(source!)).toString()).toBe('hello')
    })

    test('nothing is removed while somebody holds it', async () => {
      await store.place(await aDraft('hello'), aName())
      const [one, other] = [store.hold(), store.hold()]
      await store.remove(aName())
      await one()
      await one()
      expect(await textOf(aName())).toBe('hello')
      await other()
      expect(await textOf(aName())).toBeUndefined()
    })

    test('a file that is taken over is gone from where it was', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'treehook-blob-'))
      const path = join(directory, 'hello')
      await writeFile(path, 'hello')
      await store.place(await store.take(path), aName())
      expect(await textOf(aName())).toBe('hello')
      await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' })
      await rm(directory, { recursive: true })
    })

    test('a file that is not there is taken by nobody', async () => {
      await expect(store.take('/not there')).rejects.toMatchObject({ code: 'ENOENT' })
    })
  })
}
