import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { ClassicLevel } from 'classic-level'
import { checkDirectory } from '../../lib/operations/level-directory.js'
import type { Manifest } from '../../lib/operations/level-manifest.js'
import { salvage } from '../../lib/operations/salvage.js'
import { TimeSlice } from '../../lib/persistence/index.js'
import { findInFiles, flipBit } from '../support/damage.js'
import { aLevelDirectory, keyOf } from '../support/level-directory.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

/** All entries of a closed LevelDB, as text. */
async function entriesOf(directory: string): Promise<Map<string, string>> {
  const level = new ClassicLevel(directory)
  await level.open()
  const entries = new Map(await level.iterator().all())
  await level.close()
  return entries
}

/** What a salvage of the directory gives. */
async function salvaged(directory: string): Promise<Map<string, string>> {
  const { manifest } = await checkDirectory(directory, {
    isInUse: false,
    wasInterrupted: false,
    onDamage: () => undefined,
    onProgress: () => undefined,
    signal: undefined,
  })
  const target = await directories.create()
  await salvage(directory, manifest as Manifest, { target, slice: new TimeSlice() })
  return await entriesOf(target)
}

describe('A salvage', () => {
  test('of sound files gives every entry as it is, over levels and logs', async () => {
    const directory = await aLevelDirectory(await directories.create(), { inLog: 30 })
    const level = new ClassicLevel(directory, { writeBufferSize: 64 * 1024 })
    await level.open()
    for (let number = 0; number < 2000; number += 3) await level.del(keyOf(number))
    for (let number = 1; number < 2000; number += 3) await level.put(keyOf(number), 'newer')
    await level.close()
    const found = await salvaged(directory)
    expect(found).toEqual(await entriesOf(directory))
    expect(found.size).toBeGreaterThan(1300)
  })

  test('of damaged files gives what is in the other blocks', async () => {
    const options = { compression: false }
    const directory = await aLevelDirectory(await directories.create(), options)
    const before = await entriesOf(directory)
    const places = await findInFiles(directory, { names: /\.ldb$/, text: 'value 700 value 700 ' })
    const { file = '', at = 0 } = places[0] ?? {}
    await flipBit(join(directory, file), { at })
    const found = await salvaged(directory)
    expect(found.has(keyOf(700))).toBe(false)
    expect(found.size).toBeGreaterThan(before.size - 100)
    for (const [key, value] of found) expect(before.get(key)).toBe(value)
  })
})
