import {
  access,
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Level } from 'level'
import { createDirectoryStorage, type LevelStorage, toOid } from '../../lib/storage/index.js'
import { CHECKPOINT_KEY, FORMAT_KEY } from '../../lib/storage/key-space.js'
import { encodeFormatRow, newFormatRow } from '../../lib/storage/rows.js'
import { describeStorage } from '../contracts/storage-contract.js'
import {
  aCommit,
  codeThrownBy,
  copyAsKilled,
  errorOf,
  TemporaryDirectories,
} from '../support/storage-builders.js'
import { StorageProcess } from '../support/storage-process.js'

const directories = new TemporaryDirectories()
let directory = ''

beforeEach(async () => {
  directory = await directories.create()
})
afterEach(() => directories.removeAll())

describeStorage('A storage in a directory', {
  factory: {
    create: async (options = {}) => createDirectoryStorage(join(directory, 'db'), options),
    clear: async () => {
      await rm(join(directory, 'db'), { recursive: true, force: true })
      await mkdir(join(directory, 'db'))
    },
  },
})

async function openStorage(path = directory): Promise<LevelStorage> {
  const storage = createDirectoryStorage(path, { compression: false })
  await storage.open()
  return storage
}

/** Opens, and closes again should it succeed. */
async function opening(path = directory): Promise<void> {
  await (await openStorage(path)).close()
}

/** Tids 1 to `commits`, each with 10 objects of 200 bytes. */
async function fillIn(path: string, commits: number): Promise<LevelStorage> {
  const storage = await openStorage(path)
  for (let tid = 1; tid <= commits; tid++) {
    const oids = Array.from({ length: 10 }, (_, i) => tid * 10 + i)
    await storage.write([aCommit(tid, oids, { state: `${tid} `.repeat(100) })], 'relaxed')
  }
  return storage
}

async function fill(commits: number): Promise<void> {
  await (await fillIn(directory, commits)).close()
}

/** The same, by a process that was killed then. */
async function fillAndDie(commits: number): Promise<void> {
  const elsewhere = await directories.create()
  const storage = await fillIn(elsewhere, commits)
  copyAsKilled(elsewhere, directory)
  await storage.close()
}

/** Opens, and brings the redo log to object rows for good. */
async function settle(): Promise<void> {
  const storage = await openStorage()
  await storage.checkpoint()
  await storage.close()
}

async function fileEndingIn(ending: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(ending))
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(directory, name))).size),
  )
  return join(directory, names[sizes.indexOf(Math.max(...sizes))]!)
}

async function flipByte(file: string, offset: number): Promise<void> {
  const bytes = await readFile(file)
  bytes[offset]! ^= 0x10
  await writeFile(file, bytes)
}

/** Damages the last place in the tables where these bytes are. */
async function flipByteOf(bytes: Buffer): Promise<void> {
  const table = await fileEndingIn('.ldb')
  const offset = (await readFile(table)).lastIndexOf(bytes)
  expect(offset).toBeGreaterThan(0)
  await flipByte(table, offset + 100)
}

async function withLevel<T>(use: (level: Level<Buffer, Buffer>) => Promise<T>): Promise<T> {
  const level = new Level<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    compression: false,
  })
  await level.open()
  const result = await use(level)
  await level.close()
  return result
}

describe('A directory', () => {
  test('is created with those above it', async () => {
    const path = join(directory, 'a', 'b', 'c')
    await opening(path)
    expect(await readdir(path)).toContain('CURRENT')
  })

  test('holds no owner file once the storage is closed', async () => {
    await opening()
    expect((await readdir(directory)).filter((name) => name.includes('owner'))).toEqual([])
  })

  test('that is a file is refused', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    expect(await codeThrownBy(() => opening(file))).toBe('STORAGE_NOT_A_DIRECTORY')
    expect(await codeThrownBy(() => opening(join(file, 'below')))).toBe('STORAGE_NOT_A_DIRECTORY')
  })

  test('that cannot be written is refused', async () => {
    if (process.getuid?.() !== 0) {
      await chmod(directory, 0o555)
      expect(await codeThrownBy(() => opening())).toBe('STORAGE_NOT_WRITABLE')
      expect(await codeThrownBy(() => opening(join(directory, 'new')))).toBe('STORAGE_NOT_WRITABLE')
      await chmod(directory, 0o755)
      return
    }
    // Root may write anywhere but where the kernel itself refuses.
    let places = 0
    for (const place of ['/sys', '/sys/treehook', '/proc', '/proc/treehook/database']) {
      if (!(await exists(place.split('/', 2).join('/')))) continue
      places++
      expect([place, await codeThrownBy(() => opening(place))]).toEqual([
        place,
        'STORAGE_NOT_WRITABLE',
      ])
    }
    if (places === 0) console.warn('Skipped: root can write everywhere on this system')
  })

  test('that is not there is not created for reading', async () => {
    const path = join(directory, 'none')
    const open = (): Promise<void> => createDirectoryStorage(path, { readOnly: true }).open()
    expect(await codeThrownBy(open)).toBe('STORAGE_NOT_A_DIRECTORY')
    expect(await exists(path)).toBe(false)
  })

  test('that is empty stays empty when opened for reading', async () => {
    const open = (): Promise<void> => createDirectoryStorage(directory, { readOnly: true }).open()
    expect(await codeThrownBy(open)).toBe('STORAGE_UNKNOWN_FORMAT')
    expect(await readdir(directory)).toEqual([])
  })

  test.each([
    { cacheBytes: 0 },
    { checkpointBytes: 0 },
    { writeBufferBytes: 2 ** 32 },
    { compression: 'snappy' },
    { readOnly: 1 },
    { history: {} },
    { history: 'on' },
    { cachebytes: 1024 },
  ])('with the options %j is a mistake of the caller', async (options) => {
    const create = () => createDirectoryStorage(directory, options as never)
    expect(await errorOf(create)).toMatchObject({
      code: 'STORAGE_INVALID_OPTION',
      message: expect.stringContaining(Object.keys(options)[0] as string),
    })
  })

  test.each([undefined, '', 5])('at %j is a mistake of the caller', async (location) => {
    const create = () => createDirectoryStorage(location as never)
    expect(await codeThrownBy(create)).toBe('STORAGE_INVALID_OPTION')
  })

  test('can be opened again by the same storage after a refusal', async () => {
    const first = await openStorage()
    const second = createDirectoryStorage(directory)
    expect(await codeThrownBy(() => second.open())).toBe('STORAGE_LOCKED')
    await first.close()
    await second.open()
    expect(second.isOpen).toBe(true)
    await second.close()
  })
})

describe('The format of a database', () => {
  test('of another program is refused, and its rows stay as they are', async () => {
    await withLevel((level) => level.put(Buffer.from('name'), Buffer.from('Anna')))
    expect(await codeThrownBy(() => opening())).toBe('STORAGE_UNKNOWN_FORMAT')
    const rows = await withLevel((level) => level.iterator().all())
    expect(rows.map(([key, value]) => [String(key), String(value)])).toEqual([['name', 'Anna']])
  })

  test('of a newer version is refused, and its rows stay as they are', async () => {
    await fill(2)
    const newer = encodeFormatRow({ ...newFormatRow(), version: 3 })
    await withLevel((level) => level.put(FORMAT_KEY, newer))
    const before = await withLevel((level) => level.iterator().all())
    const error = await errorOf(() => opening())
    expect(error).toMatchObject({ code: 'STORAGE_UNKNOWN_FORMAT' })
    expect(error.message).toMatch(/version 3/)
    expect(await withLevel((level) => level.iterator().all())).toEqual(before)
  })

  test('lost from among our rows is damage', async () => {
    await fill(2)
    await withLevel((level) => level.del(FORMAT_KEY))
    expect(await codeThrownBy(() => opening())).toBe('STORAGE_CORRUPT')
  })

  test('names the database with an id that stays', async () => {
    const first = await openStorage()
    const { databaseId } = first
    await first.close()
    const second = await openStorage()
    expect(second.databaseId).toBe(databaseId)
    expect(databaseId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    await second.close()
  })
})

describe('Damage on disk', () => {
  test('in the middle of a log is detected before LevelDB changes anything', async () => {
    await fill(60)
    const log = await fileEndingIn('.log')
    const copy = `${log}.copy`
    await flipByte(log, 40_000)
    await copyFile(log, copy)
    const error = await errorOf(() => opening())
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT' })
    expect(error.message).toMatch(/damaged at byte \d+.*backup/)
    expect(await readFile(log)).toEqual(await readFile(copy))
    expect(await codeThrownBy(() => opening())).toBe('STORAGE_CORRUPT')
  })

  test('in the middle of a log that LevelDB has already swallowed is still detected', async () => {
    await fill(60)
    await flipByte(await fileEndingIn('.log'), 40_000)
    await withLevel(async () => undefined)
    const error = await errorOf(() => opening())
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT' })
    expect(error.message).toMatch(/missing: 0{14}\w\w to 0{14}\w\w/)
  })

  test.each([1, 7, 5000])(
    'that cuts %i bytes off the end of a log opens at a commit',
    async (cut) => {
      await fillAndDie(20)
      const log = await fileEndingIn('.log')
      await truncate(log, (await stat(log)).size - cut)
      const storage = await openStorage()
      const tid = storage.lastTid
      const snapshot = storage.snapshot()
      expect(tid).toBeGreaterThan(10)
      expect(tid).toBeLessThan(20)
      expect(snapshot.load(toOid(tid * 10 + 9))?.tid).toBe(tid)
      expect(snapshot.load(toOid(tid * 10 + 10))).toBeUndefined()
      await storage.close()
    },
  )

  test('in a value of a table is detected by the object that is read, and by no other', async () => {
    await fill(20)
    await settle()
    await opening() // LevelDB makes its log a table
    await flipByteOf(Buffer.from('7 '.repeat(100)))

    const storage = await openStorage()
    const snapshot = storage.snapshot()
    const codes = new Map<number, string | undefined>()
    for (let oid = 10; oid < 210; oid++) {
      const code = await codeThrownBy(() => snapshot.load(toOid(oid)))
      if (code !== 'nothing') codes.set(oid, code)
    }
    await storage.close()
    expect([...codes]).toEqual([[79, 'STORAGE_CORRUPT_RECORD']])
  })

  test('in the redo log is detected by the open', async () => {
    await fillAndDie(20)
    await withLevel(async () => undefined) // LevelDB makes its log a table
    await flipByteOf(Buffer.from('7 '.repeat(100)))
    const error = await errorOf(() => opening())
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT' })
    expect(error.message).toMatch(/row of transaction 0000000000000007 cannot be read/)
  })

  test('in a row of the redo log that is not needed any more harms nothing', async () => {
    await fillAndDie(20)
    await opening() // with a checkpoint at its end
    await flipByteOf(Buffer.from('7 '.repeat(100)))
    const storage = await openStorage()
    const snapshot = storage.snapshot()
    for (let oid = 10; oid < 210; oid++) {
      expect(snapshot.load(toOid(oid))?.tid).toBe(Math.floor(oid / 10))
    }
    await storage.close()
  })

  test('that took object rows, and no commits, is healed', async () => {
    await fill(20)
    await withLevel((level) => level.clear({ gte: Buffer.from([4]), lt: Buffer.from([5]) }))
    const storage = await openStorage()
    expect(storage.snapshot().load(toOid(79))?.tid).toBe(7)
    await storage.checkpoint()
    await storage.close()
    const keys = await withLevel((level) =>
      level.keys({ gte: Buffer.from([4]), lt: Buffer.from([5]) }).all(),
    )
    expect(keys).toHaveLength(200)
  })

  test('of a whole file is detected by LevelDB and said in our words', async () => {
    await fill(5)
    await opening()
    await truncate(await fileEndingIn('CURRENT'), 3)
    const error = await errorOf(() => opening())
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT' })
    expect(error.message).toMatch(/backup/)
    expect(await exists(join(directory, 'treehook-owner.json'))).toBe(false)
  })

  test('that took the checkpoint row is detected', async () => {
    await fill(2)
    await withLevel((level) => level.del(CHECKPOINT_KEY))
    expect(await codeThrownBy(() => opening())).toBe('STORAGE_CORRUPT')
  })
})

describe('A process that is killed', () => {
  test('loses no acknowledged commit, whatever it was at, and leaves none half', async () => {
    for (let kills = 0; kills < 8; kills++) {
      const child = new StorageProcess('checkpoint', directory)
      const first = Number(await child.nextLine())
      await new Promise((resolve) => setTimeout(resolve, 37 * kills))
      await child.kill()
      const acknowledged = Number((await child.lastLine()) ?? first)

      const storage = await openStorage()
      // What it printed may have been lost on the way; what it acknowledged later was not printed.
      expect(storage.lastTid).toBeGreaterThanOrEqual(acknowledged)
      const snapshot = storage.snapshot()
      for (let oid = 0; oid < 16; oid++) {
        const tid = storage.lastTid - ((storage.lastTid - oid + 16) % 16)
        if (tid < 1) continue
        expect(snapshot.load(toOid(oid))?.tid).toBe(tid)
        expect(snapshot.load(toOid(oid + 16))?.tid).toBe(tid)
      }
      await storage.close()
    }
  })
})

describe('A directory beside other files', () => {
  test('leaves them alone', async () => {
    await mkdir(join(directory, 'lost+found'))
    await opening()
    expect(await readdir(directory)).toContain('lost+found')
  })
})

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
