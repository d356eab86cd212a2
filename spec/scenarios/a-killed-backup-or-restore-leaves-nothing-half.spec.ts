import { spawn } from 'node:child_process'
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from '@jest/globals'
import { backup, restore, verifyBackup } from '../../lib/operations/index.js'
import { createDirectoryStorage, type Storage } from '../../lib/storage/index.js'
import { aStorage, contentsOf } from '../support/backup-builders.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const SCRIPT = join(process.cwd(), 'spec/support/backup-child.ts')

/** Lets the child print so many lines, and kills it a moment later. */
async function killed(task: string, directory: string, lines: number, ms: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, task, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise((resolve) => child.on('exit', resolve))
  const printed = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  for (let line = 0; line < lines; line++) await printed.next()
  await new Promise((resolve) => setTimeout(resolve, ms))
  child.kill('SIGKILL')
  await gone
}

async function opened(location: string): Promise<Storage> {
  const storage = createDirectoryStorage(location)
  await storage.open()
  return storage
}

describe('A killed process', () => {
  test('that made backups leaves sound ones, which the next continues', async () => {
    const directory = await directories.create()
    const backups = join(directory, 'backups')
    for (const ms of [1, 4, 9, 16]) {
      await killed('backup', directory, 2, ms)
      expect(await verifyBackup(backups)).toMatchObject({ ok: true })
    }
    const data = await opened(join(directory, 'data'))
    await backup(data, backups)
    const target = await aStorage()
    await restore(backups, target)
    expect(await contentsOf(target)).toEqual(await contentsOf(data))
    await data.close()
  })

  test('that restored leaves whole databases only', async () => {
    const directory = await directories.create()
    await killed('backup', directory, 12, 0)
    const backups = join(directory, 'backups')
    const expected = await aStorage()
    await restore(backups, expected)
    for (const ms of [1, 5, 20]) {
      await killed('restore', await sharing(directory), 1, ms)
    }
    const names = (await readdir(directory)).filter((name) => /^restored-\d+$/.test(name))
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) {
      const storage = await opened(join(directory, name))
      expect(await contentsOf(storage)).toEqual(await contentsOf(expected))
      await storage.close()
    }
  })

  let moved = 100

  /** With what was restored before out of the way. */
  async function sharing(directory: string): Promise<string> {
    for (const name of await readdir(directory)) {
      const number = /^restored-(\d)$/.exec(name)?.[1]
      if (number === undefined) continue
      await rename(join(directory, name), join(directory, `restored-${number}${moved++}`))
    }
    return directory
  }
})
