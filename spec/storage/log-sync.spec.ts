import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { syncLogs } from '../../lib/storage/log-sync.js'
import { errorOf, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

describe('A sync of logs', () => {
  test('takes all of them, and nothing else', async () => {
    const directory = await directories.create()
    await writeFile(join(directory, '000003.log'), 'batches')
    await writeFile(join(directory, '000007.log'), '')
    await mkdir(join(directory, 'LOCK'))
    await syncLogs(directory)
  })

  test('says when one cannot be synced', async () => {
    const directory = await directories.create()
    await mkdir(join(directory, '000003.log'))
    expect(await errorOf(() => syncLogs(directory))).toMatchObject({ code: 'EISDIR' })
  })
})
