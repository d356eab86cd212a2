import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  type BackupFile,
  BackupFileWriter,
  readBackupFile,
} from '../../lib/operations/backup-file.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

let path: string
beforeEach(async () => {
  path = join(await directories.create(), 'records')
})

async function written(entries: readonly unknown[]): Promise<BackupFile> {
  const file = await BackupFileWriter.create(path)
  for (const entry of entries) {
    file.add(entry)
    if (file.isFull) await file.flush()
  }
  return file.finish()
}

async function readAll(expected: BackupFile): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const entries of readBackupFile(path, expected)) all.push(...entries)
  return all
}

describe('A file of a backup', () => {
  test('gives the entries that were written, in order', async () => {
    const entries = Array.from({ length: 3000 }, (_, n) => [n, 2 ** 52 + n, 'x'.repeat(n % 500)])
    const file = await written(entries)
    expect(file).toMatchObject({ name: 'records', entries: 3000 })
    expect(file.bytes).toBe((await readFile(path)).length)
    expect(await readAll(file)).toEqual(entries)
  })

  test('may be empty, and have entries of any size', async () => {
    const file = await written([])
    expect(file).toMatchObject({ bytes: 0, entries: 0 })
    expect(await readAll(file)).toEqual([])
  })

  test('with one large entry is one block', async () => {
    const large = Buffer.alloc(3_000_000, 7)
    const file = await written([[1, large]])
    const [entry] = (await readAll(file)) as [number, Buffer][]
    expect(entry?.[1].equals(large)).toBe(true)
  })

  test('takes no place that is taken', async () => {
    await written([])
    await expect(BackupFileWriter.create(path)).rejects.toMatchObject({ code: 'EEXIST' })
  })

  test('gives nothing of a block that is damaged, and asks for no memory it does not need', async () => {
    const file = await written([[1], [2]])
    const bytes = await readFile(path)
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ 0x80
      await writeFile(path, changed)
      expect(await codeThrownBy(() => readAll(file))).toBe('OPERATIONS_DAMAGED_BACKUP')
    }
  })

  test('is not another one, even a sound one', async () => {
    const file = await written([[1]])
    const wrong = { ...file, sha256: '0'.repeat(64) }
    expect(await codeThrownBy(() => readAll(wrong))).toBe('OPERATIONS_DAMAGED_BACKUP')
  })
})
