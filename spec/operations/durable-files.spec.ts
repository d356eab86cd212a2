import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { renameDurably, syncFiles, syncPath } from '../../lib/operations/durable-files.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

test('A directory is renamed with what is in it', async () => {
  const place = await directories.create()
  const from = join(place, 'from')
  await mkdir(from)
  await writeFile(join(from, 'file'), 'text')
  await syncFiles(from)
  await renameDurably(from, join(place, 'to'))
  expect(await readdir(join(place, 'to'))).toEqual(['file'])
  expect(await readdir(place)).toEqual(['to'])
})

test('What is not there cannot be synced', async () => {
  await expect(syncPath(join(await directories.create(), 'nothing'))).rejects.toMatchObject({
    code: 'ENOENT',
  })
})
