import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { DirectoryBlobs } from '../../lib/storage/directory-blobs.js'
import { toOid } from '../../lib/storage/index.js'
import { describeBlobStore } from '../contracts/blob-store-contract.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
let directory = ''

beforeEach(async () => {
  directory = await directories.create()
})
afterEach(() => directories.removeAll())

describeBlobStore('A store in a directory', { create: async () => new DirectoryBlobs(directory) })

describe('A store in a directory', () => {
  const name = { oid: toOid(0x2af), contentId: '0123456789abcdef'.repeat(2) }
  const file = '00000000000002af-0123456789abcdef0123456789abcdef'

  async function place(store: DirectoryBlobs): Promise<void> {
    const draft = await store.create()
    await draft.write(Buffer.from('hello'))
    await draft.finish()
    await store.place(draft, name)
  }

  test('has a file for each content, by the last digits of the oid', async () => {
    await place(new DirectoryBlobs(directory))
    expect(await readFile(join(directory, 'blobs', 'af', file), 'utf8')).toBe('hello')
    expect(await readdir(join(directory, 'blobs', 'uncertain'))).toEqual([file])
    expect(await readdir(join(directory, 'blobs', 'drafts'))).toEqual([])
  })

  test('makes nothing before it is written to', async () => {
    const store = new DirectoryBlobs(directory)
    await store.clean()
    expect(await store.uncertain()).toEqual([])
    expect(store.open(name)).toBeUndefined()
    expect(await readdir(directory)).toEqual([])
  })

  test('drops the drafts of a process that died', async () => {
    const store = new DirectoryBlobs(directory)
    await place(store)
    await (await store.create()).finish()
    const again = new DirectoryBlobs(directory)
    await again.clean()
    expect(await readdir(join(directory, 'blobs', 'drafts'))).toEqual([])
    expect(await again.uncertain()).toEqual([name])
    expect(again.open(name)?.size).toBe(5)
  })

  test('leaves files of others alone', async () => {
    await mkdir(join(directory, 'blobs', 'af'), { recursive: true })
    await writeFile(join(directory, 'blobs', 'notes.txt'), '')
    await writeFile(join(directory, 'blobs', 'af', 'notes.txt'), '')
    const names = []
    for await (const one of new DirectoryBlobs(directory).list()) names.push(one)
    expect(names).toEqual([])
  })
})
