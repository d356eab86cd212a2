import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createDirectoryStorage, toOid } from '../../lib/storage/index.js'
import { CHECKPOINT_KEY } from '../../lib/storage/key-space.js'
import { batchesOf, putsOf } from '../../lib/storage/level-log.js'
import { checkLogs } from '../../lib/storage/log-check.js'
import { decodeCheckpointRow } from '../../lib/storage/rows.js'
import { aLogOf, aManifestOf } from '../support/level-log-builder.js'
import {
  aCommit,
  copyAsKilled,
  errorOf,
  TemporaryDirectories,
} from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
let directory = ''
/** Where the row of commit n begins, give or take LevelDB's own bytes. */
let startOf: number[] = []

beforeEach(() => {
  startOf = []
})
afterEach(() => directories.removeAll())

/** What a process leaves that was killed after `commits` of some 3 pages each. */
async function dieAfter(
  commits: number,
  {
    durability = 'sync',
    isCheckpointed = false,
    from,
  }: { durability?: 'sync' | 'relaxed'; isCheckpointed?: boolean; from?: string } = {},
): Promise<void> {
  const place = from ?? (await directories.create())
  directory = await directories.create()
  const storage = createDirectoryStorage(place)
  await storage.open()
  for (let tid = storage.lastTid + 1, last = storage.lastTid + commits; tid <= last; tid++) {
    startOf[tid] = (await stat(await logIn(place))).size
    const state = String.fromCharCode(96 + tid).repeat(12_000)
    await storage.write([aCommit(tid, [tid], { state })], durability)
  }
  if (isCheckpointed) await storage.checkpoint()
  copyAsKilled(place, directory)
  await storage.close()
}

async function logIn(place: string): Promise<string> {
  return join(place, (await readdir(place)).find((name) => name.endsWith('.log'))!)
}

async function changeLog(change: (log: Buffer) => void): Promise<Buffer> {
  const file = await logIn(directory)
  const log = await readFile(file)
  change(log)
  await writeFile(file, log)
  return log
}

/** A page that had its place on disk, but not its bytes: the first whole one of commit `tid`. */
const losePageOf = (tid: number): Promise<Buffer> =>
  changeLog((log) => {
    const page = (Math.floor(startOf[tid]! / 4096) + 1) * 4096
    log.fill(0, page, page + 4096)
  })

const flipIn = (tid: number): Promise<Buffer> =>
  changeLog((log) => {
    log[startOf[tid]! + 100]! ^= 1
  })

async function lastTid(): Promise<number> {
  const storage = createDirectoryStorage(directory)
  try {
    await storage.open()
    return storage.lastTid
  } finally {
    await storage.close()
  }
}

describe('The check of logs', () => {
  test('finds nothing in what a killed process leaves', async () => {
    await dieAfter(8)
    expect(await checkLogs(directory)).toEqual({ syncedTid: 0, wholeSession: 2 })
    expect(await lastTid()).toBe(8)
  })

  test.each([2, 4, 6])(
    'refuses where a page of synced commit %i is lost, and changes nothing',
    async (tid) => {
      await dieAfter(8)
      const log = await losePageOf(tid)
      const error = await errorOf(lastTid)
      expect(error).toMatchObject({ code: 'STORAGE_CORRUPT' })
      expect(error.message).toContain(`transaction 000000000000000${tid} first`)
      expect(await readFile(await logIn(directory))).toEqual(log)
    },
  )

  test('accepts that a page of the last commit is lost, of which pieces follow: nothing says it was synced', async () => {
    await dieAfter(6)
    // The commit ends in the block after this page.
    expect(Math.floor((startOf[6]! + 12_000) / 32768)).toBe(2)
    await losePageOf(6)
    expect(await checkLogs(directory)).toEqual({ syncedTid: 4, wholeSession: undefined })
    expect(await lastTid()).toBe(5)
  })

  test('refuses where a page of the last commit is lost that a checkpoint followed', async () => {
    await dieAfter(6, { isCheckpointed: true })
    await losePageOf(6)
    expect((await errorOf(lastTid)).message).toContain('transaction 0000000000000006 first')
  })

  test('refuses a flipped bit where nothing says whether it had been synced, and says so', async () => {
    await dieAfter(6)
    await flipIn(6)
    const error = await errorOf(lastTid)
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT' })
    expect(error.message).toMatch(/commits may be lost\. Nothing tells whether/)
  })

  test('refuses a lost page before the first commit of a log when later ones know it', async () => {
    await dieAfter(6)
    const log = await changeLog((bytes) => bytes.fill(0, 0, 4096))
    expect((await errorOf(lastTid)).message).toContain('transaction 0000000000000001 first')
    expect(await readFile(await logIn(directory))).toEqual(log)
  })

  test('leaves it to the open whether commits are lost before the first one that a log still has', async () => {
    await dieAfter(6)
    // Commits 1 to 6 are in tables now.
    expect(await lastTid()).toBe(6)
    await dieAfter(6, { from: directory })
    await changeLog((bytes) => bytes.fill(0, 0, 4096))
    expect(await checkLogs(directory)).toMatchObject({ syncedTid: 11 })
    expect((await errorOf(lastTid)).message).toMatch(/missing: 0000000000000007 to/)
  })

  test('accepts that a page of relaxed commits is lost, and what follows is cut', async () => {
    await dieAfter(8, { durability: 'relaxed' })
    await losePageOf(3)
    expect(await lastTid()).toBe(2)
    expect(await lastTid()).toBe(2)
  })

  test('refuses where a page of relaxed commits is lost that a checkpoint had synced', async () => {
    await dieAfter(8, { durability: 'relaxed', isCheckpointed: true })
    await losePageOf(3)
    expect((await errorOf(lastTid)).message).toContain('transaction 0000000000000003 first')
  })
})

describe('Logs are whole', () => {
  /** Of session 2, whose manifest says that log 4 is the first one. */
  async function isWhole(logs: Readonly<Record<number, Buffer>>): Promise<boolean> {
    directory = await directories.create()
    await writeFile(join(directory, 'CURRENT'), 'MANIFEST-000002\n')
    await writeFile(join(directory, 'MANIFEST-000002'), aManifestOf(3, 4))
    for (const [number, log] of Object.entries(logs)) {
      await writeFile(join(directory, `${number.padStart(6, '0')}.log`), log)
    }
    const { wholeSession } = await checkLogs(directory)
    expect([2, undefined]).toContain(wholeSession)
    return wholeSession === 2
  }

  test.each([
    ['the first one is all there is', { 4: aLogOf([7, 2], [9, 1]) }],
    ['it is empty', { 4: aLogOf() }],
    ['the next one goes on where it ends', { 4: aLogOf([7, 2]), 10: aLogOf([9, 1]) }],
    ['the newest one ends too early', { 4: aLogOf([7, 2]), 10: aLogOf([9, 1]).subarray(0, -1) }],
    [
      'earlier ones are left, whatever is in them',
      { 3: aLogOf([1, 1], [9, 1]), 4: aLogOf([7, 1]) },
    ],
  ])('where %s', async (_, logs) => {
    expect(await isWhole(logs)).toBe(true)
  })

  test.each([
    ['the first one is missing', { 10: aLogOf([9, 1]) }],
    [
      'the first one has lost its end',
      { 4: aLogOf([7, 2], [9, 3]).subarray(0, -1), 10: aLogOf([12, 1]) },
    ],
    ['the first one has lost all', { 4: aLogOf(), 10: aLogOf([12, 1]) }],
    ['one between is missing', { 4: aLogOf([7, 2]), 12: aLogOf([12, 1]) }],
    ['entries of the newest one are missing', { 4: aLogOf([7, 2]), 10: aLogOf([9, 1], [11, 1]) }],
    ['there is none', {}],
  ])('but not where %s', async (_, logs) => {
    expect(await isWhole(logs)).toBe(false)
  })

  test('but not of a session that no manifest names', async () => {
    await dieAfter(2)
    await writeFile(join(directory, 'CURRENT'), 'MANIFEST-000001\n')
    expect(await checkLogs(directory)).toEqual({ syncedTid: 0, wholeSession: undefined })
  })

  test('also of a session that ended before it made a checkpoint: it says that those of the one before were', async () => {
    await dieAfter(6, { isCheckpointed: true })
    for (let kills = 0; kills < 2; kills++) {
      const killed = directory
      directory = await directories.create()
      const storage = createDirectoryStorage(killed)
      await storage.open()
      copyAsKilled(killed, directory)
      await storage.close()
      const { wholeSession } = await checkLogs(directory)
      expect(wholeSession).toBeGreaterThan(2)
      expect(sessionInLog(await readFile(await logIn(directory)))).toBe(wholeSession)
    }
  })

  /** As the last checkpoint row in a log has it. */
  function sessionInLog(log: Buffer): number | undefined {
    const rows = [...batchesOf(log)].flatMap(({ data }) => [...putsOf(data)])
    const row = rows.filter(([key]) => key.equals(CHECKPOINT_KEY)).pop()?.[1]
    return row && decodeCheckpointRow(row).session
  }

  test('up to where the newest is cut: all that was written before the last row there is there', async () => {
    await dieAfter(6, { isCheckpointed: true })
    const log = await readFile(await logIn(directory))
    const killed = directory
    for (let end = log.length; end > startOf[1]!; end -= 1500) {
      directory = await directories.create()
      for (const name of await readdir(killed)) {
        const bytes = await readFile(join(killed, name))
        const part = name.endsWith('.log') ? bytes.subarray(0, end) : bytes
        await writeFile(join(directory, name), part)
      }
      const storage = createDirectoryStorage(directory)
      await storage.open()
      const snapshot = storage.snapshot()
      for (let tid = 1; tid <= 6; tid++) {
        const expected = tid <= storage.lastTid ? tid : undefined
        expect(snapshot.load(toOid(tid))?.tid).toBe(expected)
      }
      snapshot.close()
      await storage.close()
    }
  })
})
