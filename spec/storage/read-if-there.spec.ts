import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { readIfThere } from '../../lib/storage/read-if-there.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

test('A file that is not there is told from one that cannot be read', async () => {
  const directory = await directories.create()
  await writeFile(join(directory, 'file'), 'held')
  expect((await readIfThere(join(directory, 'file')))?.toString()).toBe('held')
  expect(await readIfThere(join(directory, 'other'))).toBeUndefined()
  await expect(readIfThere(directory)).rejects.toMatchObject({ code: 'EISDIR' })
})
