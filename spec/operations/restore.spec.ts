import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { backup, restore } from '../../lib/operations/index.js'
import { createDirectoryStorage, type Storage, toTid } from '../../lib/storage/index.js'
import {
  aStorage,
  commitTo,
  contentsOf,
  forgetCommits,
  headOf,
} from '../support/backup-builders.js'
import { codeThrownBy, errorOf, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

let place: string
let target: string
beforeEach(async () => {
  place = await directories.create()
  target = join(await directories.create(), 'deep', 'restored')
})

/** Backups: full at 1, commits 2 to 3, commits 4. */
async function someBackups(): Promise<Storage> {
  const source = await aStorage()
  await commitTo(source, [0, 1])
  await backup(source, place)
  await commitTo(source, [1, 2])
  await commitTo(source, [3], { removed: [1] })
  await backup(source, place)
  await commitTo(source, [4])
  await backup(source, place)
  return source
}

async function restoredAt(upTo: number | Date): Promise<number> {
  const { tid } = await restore(place, await aStorage(), {
    upTo: upTo instanceof Date ? upTo : toTid(upTo),
  })
  return tid
}

describe('Restoring', () => {
  test('makes a directory with the database, its id, tids and times', async () => {
    const source = await someBackups()
    const report = await restore(place, target)
    expect(report).toMatchObject({ tid: 4, backups: 3, objects: 2, commits: 3 })
    expect(await readdir(join(target, '..'))).toEqual(['restored'])
    const storage = createDirectoryStorage(target)
    await storage.open()
    expect(headOf(storage)).toEqual(headOf(source))
    expect(await contentsOf(storage)).toEqual(await contentsOf(source))
    await storage.close()
  })

  test('stops at a commit, or at a time', async () => {
    await someBackups()
    expect(await Promise.all([1, 2, 3, 4, 9].map(restoredAt))).toEqual([1, 2, 3, 4, 4])
    const times = [1000, 1999, 2000, 3500, 99_000].map((ms) => new Date(ms))
    expect(await Promise.all(times.map(restoredAt))).toEqual([1, 1, 2, 3, 4])
  })

  test('stops at backups where the commits in between were gone', async () => {
    const source = await aStorage({ forgets: true })
    await commitTo(source, [0, 1])
    await backup(source, place)
    await forgetCommits(source)
    const { tid } = await backup(source, place)
    expect(await restoredAt(tid - 1)).toBe(1)
    expect(await restoredAt(tid)).toBe(tid)
  })

  test('goes back to a line of backups before the newest full one', async () => {
    const source = await someBackups()
    await backup(source, place, { full: true })
    expect(await Promise.all([2, 4].map(restoredAt))).toEqual([2, 4])
  })

  test('refuses what is older than all backups', async () => {
    await someBackups()
    for (const upTo of [toTid(0), new Date(5)]) {
      const code = await codeThrownBy(() => restore(place, target, { upTo }))
      expect(code).toBe('OPERATIONS_NO_BACKUP')
    }
  })

  test('refuses where no backup is', async () => {
    for (const from of [place, join(place, 'nowhere')]) {
      expect(await codeThrownBy(() => restore(from, target))).toBe('OPERATIONS_NO_BACKUP')
    }
  })

  test('refuses a place that holds something, and takes an empty one', async () => {
    await someBackups()
    const full = await directories.create()
    await writeFile(join(full, 'note'), 'mine')
    expect(await codeThrownBy(() => restore(place, full))).toBe('STORAGE_NOT_EMPTY')
    expect(await readdir(full)).toEqual(['note'])
    const file = join(full, 'note')
    expect(await codeThrownBy(() => restore(place, file))).toBe('STORAGE_NOT_A_DIRECTORY')
    await restore(place, await directories.create())
    const used = await aStorage()
    await commitTo(used, [0])
    expect(await codeThrownBy(() => restore(place, used))).toBe('STORAGE_NOT_EMPTY')
  })

  test('leaves nothing when it is ended, and can be done again', async () => {
    await someBackups()
    const abort = new AbortController()
    const onProgress = (): void => abort.abort(new Error('enough'))
    const { signal } = abort
    const ended = () => restore(place, target, { signal, onProgress })
    expect(await codeThrownBy(ended)).toBe('Error: enough')
    expect(await readdir(join(target, '..'))).toEqual([])
    expect(await restore(place, target)).toMatchObject({ tid: 4 })
  })

  test('removes what a killed one left beside the place', async () => {
    await someBackups()
    await mkdir(`${target}.restoring`, { recursive: true })
    await writeFile(join(`${target}.restoring`, 'CURRENT'), 'half')
    await restore(place, target)
    expect(await readdir(join(target, '..'))).toEqual(['restored'])
  })

  test('keeps the history that the backup has', async () => {
    const source = await aStorage({ history: 'all' })
    for (let tid = 1; tid < 40; tid++) await commitTo(source, [0, 1 + (tid % 5)])
    await backup(source, place)
    for (let tid = 40; tid < 45; tid++) await commitTo(source, [0])
    await backup(source, place)
    await restore(place, target)
    const storage = createDirectoryStorage(target)
    await storage.open()
    expect(storage.historyFrom).toBe(source.historyFrom)
    for (const tid of [0, 1, 17, 38, 44]) {
      expect(await contentsOf(storage, tid)).toEqual(await contentsOf(source, tid))
    }
    expect(storage.revisions(0 as never)).toEqual(source.revisions(0 as never))
    await storage.close()
  })
})

describe('A damaged backup', () => {
  const files = ['manifest.json', 'records']

  test.each(files)('is refused, and leaves nothing: %s changed', async (name) => {
    await someBackups()
    const path = join(place, '000001-full', name)
    const bytes = await readFile(path)
    for (const at of [0, 5, bytes.length >> 1, bytes.length - 2]) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ 0x10
      await writeFile(path, changed)
      const error = await errorOf(() => restore(place, target))
      expect(error).toMatchObject({ code: 'OPERATIONS_DAMAGED_BACKUP' })
      expect(error.message).toContain('000001-full')
    }
    expect(await readdir(join(target, '..')).catch(() => [])).toEqual([])
  })

  test.each(files)('is refused: %s cut off, or gone', async (name) => {
    await someBackups()
    const path = join(place, '000001-full', name)
    const refused = () => codeThrownBy(() => restore(place, target))
    await truncate(path, 20)
    expect(await refused()).toBe('OPERATIONS_DAMAGED_BACKUP')
    await rm(path)
    expect(await refused()).toBe('OPERATIONS_DAMAGED_BACKUP')
  })

  test('is refused: one between is gone', async () => {
    await someBackups()
    await rm(join(place, '000002-incremental'), { recursive: true })
    expect(await codeThrownBy(() => restore(place, target))).toBe('OPERATIONS_DAMAGED_BACKUP')
    expect(await restoredAt(1)).toBe(1)
  })

  test('is refused: a newer treehook wrote it', async () => {
    await someBackups()
    const path = join(place, '000001-full', 'manifest.json')
    const [line = ''] = (await readFile(path, 'utf8')).split('\n')
    const newer = line.replace('"version":1', '"version":2')
    const sha256 = createHash('sha256').update(newer).digest('hex')
    await writeFile(path, `${newer}\n${sha256}\n`)
    const ask = () => restore(place, target, { upTo: toTid(1) })
    expect(await codeThrownBy(ask)).toBe('STORAGE_UNKNOWN_FORMAT')
  })
})
