import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from '@jest/globals'
import { ObjectDatabase } from '../../lib/persistence/index.js'
import { blobFilesIn, photoOf, textOf } from '../support/blob-builders.js'
import { whyNoFullDisk } from '../support/crash/faults.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()

afterEach(() => directories.removeAll())

const SCRIPT = join(process.cwd(), 'spec/support/blob-child.ts')

/** Runs the child until it says that it is where it should be, and kills it there. */
async function killedAt(where: string, directory: string): Promise<void> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', SCRIPT, where, directory],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  expect(line).toBe(where)
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

describe('On a disk that is full', () => {
  test('a blob says so, keeps the content it had, and its transaction goes on', async () => {
    const why = whyNoFullDisk()
    if (why !== undefined) return console.warn(`Skipped: ${why}`)
    const directory = await directories.create()
    const script = 'mount -t tmpfs -o size=8m tmpfs "$1" && shift && exec "$@"'
    const child = [process.execPath, '--import', 'tsx', SCRIPT, 'full', directory]
    const command = ['-rm', 'sh', '-c', script, 'sh', directory, ...child]
    const { stdout } = await promisify(execFile)('unshare', command)
    expect(JSON.parse(stdout)).toEqual({
      codes: ['STORAGE_FULL'],
      content: 'old',
      files: [1, 0, 0],
    })
  })
})

describe('After a kill while a blob is written', () => {
  test.each([
    ['streaming', 'old', { contents: 1, drafts: 1, uncertain: 0 }],
    ['written', 'old', { contents: 1, drafts: 1, uncertain: 1 }],
    ['placed', 'old', { contents: 2, drafts: 0, uncertain: 2 }],
    ['committed', 'new', { contents: 2, drafts: 0, uncertain: 2 }],
  ])(
    'at the moment "%s" the content is %p, and no other file is left',
    async (where, text, left) => {
      const directory = await directories.create()
      await killedAt(where, directory)
      const { contents, drafts, uncertain } = blobFilesIn(directory)
      expect({
        contents: contents.length,
        drafts: drafts.length,
        uncertain: uncertain.length,
      }).toEqual(left)
      const db = await ObjectDatabase.open(directory)
      expect(await db.view((context) => textOf(photoOf(context)))).toBe(text)
      const after = blobFilesIn(directory)
      expect([after.contents.length, after.drafts, after.uncertain]).toEqual([1, [], []])
      await db.pack({ graceMs: 0 })
      expect(await db.view((context) => textOf(photoOf(context)))).toBe(text)
      await db.close()
    },
  )
})
