import { appendFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { backup, copyStorage, restore, verifyBackup } from '../../lib/operations/index.js'
import { Blob, type ObjectDatabase } from '../../lib/persistence/index.js'
import {
  createDirectoryStorage,
  createMemoryStorage,
  formatBlobName,
  type Storage,
  toTid,
} from '../../lib/storage/index.js'
import { aDatabase } from '../support/persistence-builders.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

let db: ObjectDatabase
let place: string
beforeEach(async () => {
  place = join(await directories.create(), 'backups')
  db = await aDatabase({ storage: createMemoryStorage({ history: 'all' }) })
})
afterEach(() => db.close())

async function write(name: string, text: string): Promise<void> {
  await db.transaction(async ({ rootMapping }) => {
    if (!rootMapping.has(name)) rootMapping.set(name, new Blob())
    await (rootMapping.get(name) as Blob).write(Buffer.from(text))
  })
}

async function textsIn(other: ObjectDatabase): Promise<Record<string, string>> {
  return other.view(async ({ rootMapping }) => {
    const texts: Record<string, string> = {}
    for (const [name, blob] of rootMapping) texts[name] = String(await (blob as Blob).bytes())
    return texts
  })
}

async function namesIn(storage: Storage): Promise<string[]> {
  const names: string[] = []
  for await (const name of storage.blobs.list()) names.push(formatBlobName(name))
  return names.sort()
}

async function restored(upTo?: number): Promise<{ texts: unknown; names: string[] }> {
  const target = join(await directories.create(), 'restored')
  await restore(place, target, upTo === undefined ? {} : { upTo: toTid(upTo) })
  const storage = createDirectoryStorage(target)
  const other = await aDatabase({ storage })
  const found = { texts: await textsIn(other), names: await namesIn(storage) }
  await other.close()
  return found
}

describe('Blobs in backups', () => {
  test('are copied once, and restored as they were at each backup', async () => {
    await write('a', 'first')
    await write('b', 'x'.repeat(700_000))
    expect(await backup(db, place)).toMatchObject({ kind: 'full', blobs: 2 })
    const early = db.lastTid
    await write('a', 'second')
    await write('c', '')
    expect(await backup(db, place)).toMatchObject({ kind: 'incremental', blobs: 2 })
    expect(await backup(db, place, { full: true })).toMatchObject({ blobs: 4 })
    expect(await verifyBackup(place)).toMatchObject({ ok: true })
    expect((await restored()).texts).toEqual(await textsIn(db))
    expect((await restored(early)).texts).toEqual({ a: 'first', b: 'x'.repeat(700_000) })
    expect((await restored(early + 1)).texts).toMatchObject({ a: 'second' })
  })

  test('a backup that restores has no contents that nobody names', async () => {
    await db.close()
    db = await aDatabase()
    await write('a', 'first')
    await backup(db, place)
    await write('a', 'second')
    await backup(db, place)
    const { texts, names } = await restored()
    expect([texts, names.length]).toEqual([{ a: 'second' }, 1])
    expect((await restored(db.lastTid - 1)).texts).toEqual({ a: 'first' })
  })

  test('a content that is superseded meanwhile is in the backup', async () => {
    await db.close()
    db = await aDatabase()
    for (const name of ['a', 'b', 'c']) await write(name, name.repeat(300_000))
    let writing: Promise<void> | undefined
    const overwrite = async (): Promise<void> => {
      for (const name of ['a', 'b', 'c']) await write(name, 'later')
    }
    const onProgress = (): void => {
      writing ??= overwrite()
    }
    await backup(db, place, { onProgress })
    await writing
    const { texts } = await restored()
    expect(texts).toEqual({
      a: 'a'.repeat(300_000),
      b: 'b'.repeat(300_000),
      c: 'c'.repeat(300_000),
    })
  })

  test('a damaged or missing one is found, and refused', async () => {
    await write('a', 'first')
    await backup(db, place)
    const folder = join(place, '000001-full', 'contents')
    const [name = ''] = await readdir(folder)
    const damages = [
      () => writeFile(join(folder, name), 'fir5t'),
      () => appendFile(join(folder, name), 'x'),
      () => rm(join(folder, name)),
    ]
    for (const damage of damages) {
      await damage()
      const { ok, problems } = await verifyBackup(place)
      expect([ok, problems.length]).toEqual([false, 1])
      expect(problems[0]?.message).toContain(name)
      expect(await codeThrownBy(() => restored())).toBe('OPERATIONS_DAMAGED_BACKUP')
    }
  })
})

describe('Blobs in copies', () => {
  test('are copied, and go with what named them', async () => {
    const target = createMemoryStorage()
    await target.open()
    await db.close()
    db = await aDatabase()
    await write('a', 'first')
    expect(await copyStorage(db, target)).toMatchObject({ blobs: 1 })
    await write('a', 'second')
    expect(await copyStorage(db, target)).toMatchObject({ blobs: 1 })
    expect(await namesIn(target)).toEqual(await namesIn(db.storage))
    const other = await aDatabase({ storage: target })
    expect(await textsIn(other)).toEqual(await textsIn(db))
    await other.close()
  })
})
