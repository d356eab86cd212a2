import { rm, truncate, writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { verify } from '../../lib/operations/index.js'
import { ObjectDatabase, type ObjectDatabaseOptions } from '../../lib/persistence/index.js'
import { aPhotoIn, blobFilesIn } from '../support/blob-builders.js'
import { aDatabase } from '../support/persistence-builders.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()

afterEach(() => directories.removeAll())

async function write(db: ObjectDatabase, text: string): Promise<void> {
  await db.transaction((context) => aPhotoIn(context).write([text]))
}

/** A closed database whose blob had one content after the other. */
async function aDirectory(
  texts: readonly string[],
  options: ObjectDatabaseOptions = {},
): Promise<string> {
  const directory = await directories.create()
  const db = await ObjectDatabase.open(directory, options)
  for (const text of texts) await write(db, text)
  await db.close()
  return directory
}

describe('Verification of blobs', () => {
  test('reads every content that a record names', async () => {
    const report = await verify(await aDirectory(['hello']))
    expect(report).toMatchObject({ ok: true, problems: [], blobs: 1, blobBytes: 5 })
  })

  test('reads those of earlier revisions that are kept', async () => {
    const directory = await aDirectory(['one', 'three'], { history: 'all' })
    expect(await verify(directory)).toMatchObject({ ok: true, blobs: 2, blobBytes: 8 })
    for (const path of blobFilesIn(directory).contents) await rm(path)
    expect((await verify(directory)).problems).toHaveLength(2)
  })

  test('goes beside commits', async () => {
    const db = await aDatabase()
    await write(db, 'hello')
    const [report] = await Promise.all([verify(db), write(db, 'again')])
    expect(report).toMatchObject({ ok: true, blobs: 1 })
    await db.close()
  })

  test.each<[string, (path: string) => Promise<void>, string, string]>([
    ['missing', rm, 'missingBlob', 'is not there'],
    ['cut', (path) => truncate(path, 2), 'damagedBlob', 'has 2 bytes instead of 5'],
    ['changed', (path) => writeFile(path, 'hallo'), 'damagedBlob', 'is not what was once written'],
  ])('tells of a file that is %s, with the path of its object', async (_, spoil, kind, message) => {
    const directory = await aDirectory(['hello'])
    for (const path of blobFilesIn(directory).contents) await spoil(path)
    const { ok, problems } = await verify(directory)
    expect(ok).toBe(false)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ kind, message: expect.stringContaining(message) })
    expect(problems[0]?.path).toContain('photo')
  })
})
