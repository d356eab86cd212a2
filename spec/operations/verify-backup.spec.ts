import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { backup, verifyBackup } from '../../lib/operations/index.js'
import { aStorage, commitTo, forgetCommits } from '../support/backup-builders.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const FILES = [
  '000001-full/manifest.json',
  '000001-full/records',
  '000002-incremental/commits',
  '000003-incremental/records',
  '000003-incremental/live',
]

let place: string
beforeEach(async () => {
  place = await directories.create()
  const source = await aStorage({ forgets: true })
  await commitTo(source, [0, 1, 5])
  await backup(source, place)
  await commitTo(source, [1])
  await backup(source, place)
  await forgetCommits(source)
  await backup(source, place)
})

describe('Verifying backups', () => {
  test('finds nothing wrong with sound ones', async () => {
    const told: number[] = []
    const report = await verifyBackup(place, { onProgress: ({ backups }) => told.push(backups) })
    expect(report).toMatchObject({ ok: true, problems: [], backups: 3 })
    expect(report.bytes).toBeGreaterThan(100)
    expect(told).toEqual([1, 2, 3, 3])
  })

  test.each(FILES)('finds every changed byte: %s', async (name) => {
    const path = join(place, name)
    const bytes = await readFile(path)
    const step = Math.ceil(bytes.length / 40)
    for (let at = 0; at < bytes.length - 1; at += step) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ 1
      await writeFile(path, changed)
      const { ok, problems } = await verifyBackup(place)
      expect([ok, problems[0]?.backup]).toEqual([false, Number(name.slice(0, 6))])
    }
  })

  test.each(FILES)('finds what is cut off, or gone: %s', async (name) => {
    const path = join(place, name)
    await truncate(path, (await readFile(path)).length - 2)
    expect(await verifyBackup(place)).toMatchObject({ ok: false })
    await rm(path)
    const { problems } = await verifyBackup(place)
    expect(problems[0]?.message).toMatch(/not there/)
  })

  test('finds that one in between is gone, or another one', async () => {
    await rm(join(place, '000001-full'), { recursive: true })
    const { problems } = await verifyBackup(place)
    expect(problems).toMatchObject([{ backup: 2, message: expect.stringContaining('backup 1') }])
  })

  test('can be ended, and refuses where nothing is', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    expect(await codeThrownBy(() => verifyBackup(place, { signal }))).toBe('Error: enough')
    const empty = await directories.create()
    expect(await codeThrownBy(() => verifyBackup(empty))).toBe('OPERATIONS_NO_BACKUP')
  })
})
