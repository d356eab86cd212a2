import { afterEach, describe, expect, test } from '@jest/globals'
import { checkManifest } from '../../lib/operations/level-manifest.js'
import { aLevelDirectory, filesOf, keyOf } from '../support/level-directory.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

async function aManifest() {
  const directory = await aLevelDirectory(await directories.create(), { inLog: 3 })
  const [bytes] = (await filesOf(directory, /^MANIFEST/)).values()
  return { directory, bytes: bytes as Buffer }
}

describe('A manifest of LevelDB', () => {
  test('names the tables and logs that there are, their sizes and keys', async () => {
    const { directory, bytes } = await aManifest()
    const { manifest, damage } = checkManifest(bytes, { isInUse: false })
    expect(damage).toEqual([])
    const files = await filesOf(directory, /\.(ldb|log)$/)
    for (const { number, bytes: size, keys } of manifest.tables.values()) {
      expect(files.get(`${String(number).padStart(6, '0')}.ldb`)).toHaveLength(size)
      expect((keys.from as Buffer).toString() >= keyOf(0)).toBe(true)
      expect((keys.upTo as Buffer).toString() <= keyOf(2000)).toBe(true)
    }
    const logs = [...files.keys()].filter((name) => name.endsWith('.log'))
    expect(logs.map((name) => Number.parseInt(name, 10) >= manifest.firstLog)).toContain(true)
  })

  test('that is damaged says where', async () => {
    const { bytes } = await aManifest()
    bytes[40] = (bytes[40] as number) ^ 4
    expect(checkManifest(bytes, { isInUse: false }).damage).not.toEqual([])
  })

  test('may end in the middle of an entry only while it is in use', async () => {
    const { bytes } = await aManifest()
    const cut = bytes.subarray(0, -3)
    expect(checkManifest(cut, { isInUse: true }).damage).toEqual([])
    expect(checkManifest(cut, { isInUse: false }).damage).toEqual([
      expect.objectContaining({ why: 'it ends too early' }),
    ])
  })
})
