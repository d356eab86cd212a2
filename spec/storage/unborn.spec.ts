import { access, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Level } from 'level'
import { createDirectoryStorage } from '../../lib/storage/index.js'
import { isUnborn } from '../../lib/storage/unborn.js'
import { aCommit, codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
let directory = ''

/** What a power loss during the first opening leaves. */
beforeEach(async () => {
  directory = await directories.create()
  await writeFile(join(directory, 'CURRENT'), 'MANIFEST-000001\n')
  await writeFile(join(directory, 'MANIFEST-000001'), '')
})
afterEach(() => directories.removeAll())

const file = (name: string): string => join(directory, name)

async function openAndCommit(): Promise<number> {
  const storage = createDirectoryStorage(directory)
  await storage.open()
  await storage.write([aCommit(storage.lastTid + 1, [1])], 'sync')
  const { lastTid } = storage
  await storage.close()
  return lastTid
}

describe('A database whose first opening was cut short', () => {
  test.each([
    ['is empty', () => Promise.resolve()],
    ['is gone', () => rm(file('MANIFEST-000001'))],
    ['is zeros', () => truncate(file('MANIFEST-000001'), 50)],
    ['is empty, and a log as well', () => writeFile(file('000003.log'), '')],
    [
      'is empty, and a log has lost its page',
      () => writeFile(file('000003.log'), Buffer.alloc(135)),
    ],
  ])('is made anew where its first manifest %s', async (_, damage) => {
    await damage()
    expect(await isUnborn(directory)).toBe(true)
    expect(await openAndCommit()).toBe(1)
    expect(await openAndCommit()).toBe(2)
  })

  test('is not made anew for reading', async () => {
    const open = (): Promise<void> => createDirectoryStorage(directory, { readOnly: true }).open()
    expect(await codeThrownBy(open)).toBe('STORAGE_UNKNOWN_FORMAT')
    await access(file('CURRENT'))
  })

  test.each([
    ['a table', '000005.ldb'],
    ['a long log', '000003.log'],
  ])('is damage where there is %s', async (_, name) => {
    await writeFile(file(name), Buffer.alloc(300))
    expect(await isUnborn(directory)).toBe(false)
    expect(await codeThrownBy(openAndCommit)).toBe('STORAGE_CORRUPT')
    expect(await readdir(directory)).toContain(name)
  })

  test('is damage where a log has a commit', async () => {
    const elsewhere = await directories.create()
    const level = new Level<Buffer, Buffer>(elsewhere, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
    })
    await level.open()
    await level.put(Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 1]), Buffer.from('a commit'))
    const log = (await readdir(elsewhere)).find((name) => name.endsWith('.log'))!
    await writeFile(file('000003.log'), await readFile(join(elsewhere, log)))
    await level.close()
    expect(await isUnborn(directory)).toBe(false)
  })

  test('is another thing than one that was opened', async () => {
    const opened = await directories.create()
    const storage = createDirectoryStorage(opened)
    await storage.open()
    await storage.close()
    expect(await isUnborn(opened)).toBe(false)
    expect(await isUnborn(await directories.create())).toBe(false)
  })
})
