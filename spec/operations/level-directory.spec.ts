import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { checkDirectory, type FileDamage } from '../../lib/operations/level-directory.js'
import { flipBit } from '../support/damage.js'
import { aLevelDirectory, filesOf } from '../support/level-directory.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

async function check(directory: string, { wasInterrupted = false } = {}) {
  const damages: FileDamage[] = []
  const done = await checkDirectory(directory, {
    isInUse: false,
    wasInterrupted,
    onDamage: (damage) => void damages.push(damage),
    onProgress: () => undefined,
    signal: undefined,
  })
  return { damages, ...done }
}

async function aDirectory(): Promise<string> {
  return await aLevelDirectory(await directories.create(), { inLog: 20 })
}

describe('A directory of LevelDB', () => {
  test('is sound as it was left', async () => {
    const { damages, files, bytes, blocks } = await check(await aDirectory())
    expect(damages).toEqual([])
    expect(files).toBeGreaterThanOrEqual(4) // CURRENT, manifest, log, table
    expect(bytes).toBeGreaterThan(10_000)
    expect(blocks).toBeGreaterThan(5)
  })

  test('a damaged part of a table is named by file, offset and keys', async () => {
    const directory = await aDirectory()
    const [name = ''] = (await filesOf(directory, /\.ldb$/)).keys()
    await flipBit(join(directory, name), { at: 5000 })
    const { damages } = await check(directory)
    expect(damages).toEqual([
      {
        file: name,
        offset: expect.any(Number),
        bytes: expect.any(Number),
        what: 'The data block is damaged: its checksum does not match its bytes',
        keys: { above: expect.any(Buffer), upTo: expect.any(Buffer) },
      },
    ])
  })

  test('a table that the manifest names must be there', async () => {
    const directory = await aDirectory()
    const [name = ''] = (await filesOf(directory, /\.ldb$/)).keys()
    await rm(join(directory, name))
    const { damages } = await check(directory)
    expect(damages).toEqual([expect.objectContaining({ file: name, what: 'The table is missing' })])
  })

  test('without a CURRENT the newest manifest counts, without a manifest every table', async () => {
    const directory = await aDirectory()
    const { blocks } = await check(directory)
    await rm(join(directory, 'CURRENT'))
    const current = { file: 'CURRENT', offset: 0, what: 'It is missing', keys: {} }
    expect(await check(directory)).toMatchObject({ damages: [current], blocks })
    const [manifest = ''] = (await filesOf(directory, /^MANIFEST/)).keys()
    await rm(join(directory, manifest))
    const found = await check(directory)
    expect(found.damages).toEqual([current])
    expect(found.manifest).toBeUndefined()
    expect(found.blocks).toBeGreaterThanOrEqual(blocks)
  })

  test('a CURRENT that names what is not there is damaged', async () => {
    const directory = await aDirectory()
    await writeFile(join(directory, 'CURRENT'), 'MANIFEST-999999\n')
    const { damages, blocks } = await check(directory)
    const what = 'It names MANIFEST-999999, which is missing'
    expect(damages).toEqual([{ file: 'CURRENT', offset: 0, what, keys: {} }])
    expect(blocks).toBeGreaterThan(5)
  })

  test('a log may end too early where the last process did not close it', async () => {
    const directory = await aDirectory()
    const [[name, log] = ['', Buffer.alloc(0)]] = await filesOf(directory, /\.log$/)
    await writeFile(join(directory, name), log.subarray(0, -5))
    expect((await check(directory, { wasInterrupted: true })).damages).toEqual([])
    expect((await check(directory)).damages).toEqual([
      expect.objectContaining({ file: name, what: expect.stringContaining('in the middle') }),
    ])
  })
})
