import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { createDirectory } from '../../lib/storage/create-directory.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const isDirectory = async (path: string): Promise<boolean> => (await stat(path)).isDirectory()

describe('Creating a directory', () => {
  test('creates those above it, and leaves what is there', async () => {
    const top = await directories.create()
    await mkdir(join(top, 'a'))
    await createDirectory(join(top, 'a', 'b', 'c'))
    await createDirectory(join(top, 'a', 'b', 'c'))
    expect(await isDirectory(join(top, 'a', 'b', 'c'))).toBe(true)
  })

  test('fails below a file', async () => {
    const top = await directories.create()
    await writeFile(join(top, 'file'), 'mine')
    await expect(createDirectory(join(top, 'file', 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  })

  const itOnLinux = process.platform === 'linux' ? test : test.skip
  itOnLinux('fails, and returns, where a directory answers ENOENT to every name', async () => {
    for (const path of ['/proc/treehook', '/proc/treehook/a']) {
      await expect(createDirectory(path)).rejects.toMatchObject({ code: 'ENOENT' })
    }
  })
})
