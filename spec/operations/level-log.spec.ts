import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { maskedCrc32c } from '../../lib/foundation/index.js'
import { checkLog } from '../../lib/operations/level-log.js'
import { aLevelDirectory, filesOf } from '../support/level-directory.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const BLOCK_BYTES = 32 * 1024

/** A log with these entries, as LevelDB's `log::Writer` makes it. */
function aLog(entries: readonly Buffer[]): Buffer {
  const parts: Buffer[] = []
  let inBlock = 0
  const add = (part: Buffer): void => {
    parts.push(part)
    inBlock = (inBlock + part.length) % BLOCK_BYTES
  }
  for (const entry of entries) {
    let at = 0
    do {
      if (BLOCK_BYTES - inBlock < 7) add(Buffer.alloc(BLOCK_BYTES - inBlock))
      const end = Math.min(entry.length, at + BLOCK_BYTES - inBlock - 7)
      const [isFirst, isLast] = [at === 0, end === entry.length]
      const type = isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3
      const piece = Buffer.concat([Buffer.alloc(6), Buffer.from([type]), entry.subarray(at, end)])
      piece.writeUInt32LE(maskedCrc32c(piece, 6), 0)
      piece.writeUInt16LE(end - at, 4)
      add(piece)
      at = end
    } while (at < entry.length)
  }
  return Buffer.concat(parts)
}

const someEntries = fc
  .array(fc.nat(70_000), { minLength: 1, maxLength: 8 })
  .map((sizes) => sizes.map((size, at) => Buffer.alloc(size, at + 1)))

describe('A log of LevelDB', () => {
  test('that LevelDB wrote is sound', async () => {
    const directory = await aLevelDirectory(await directories.create(), { inLog: 120 })
    const [log] = (await filesOf(directory, /\.log$/)).values()
    const { entries, damagedAt, cutAt } = checkLog(log as Buffer)
    expect([damagedAt, cutAt]).toEqual([[], undefined])
    expect(entries).toHaveLength(120)
  })

  test('gives its entries, over blocks', () => {
    fc.assert(
      fc.property(someEntries, (entries) => {
        const found = checkLog(aLog(entries))
        expect(found.damagedAt).toEqual([])
        expect(found.cutAt).toBeUndefined()
        expect(found.entries.map(({ length }) => length)).toEqual(
          entries.map(({ length }) => length),
        )
      }),
      { numRuns: 30 },
    )
  })

  test('has no bit that can be flipped unnoticed: it is damaged there, or seems to be cut', () => {
    fc.assert(
      fc.property(someEntries, fc.nat(), fc.nat(7), (entries, where, bit) => {
        const log = aLog(entries)
        const at = where % log.length
        log[at] = (log[at] as number) ^ (1 << bit)
        const { damagedAt, cutAt } = checkLog(log)
        expect(damagedAt.length > 0 || cutAt !== undefined).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('that ends in the middle of an entry is cut there, not damaged', () => {
    const whole = aLog([Buffer.alloc(10), Buffer.alloc(40_000)])
    for (const length of [20, 200, 32_768, 40_000]) {
      expect(checkLog(whole.subarray(0, length))).toMatchObject({ damagedAt: [], cutAt: 17 })
    }
    expect(checkLog(whole.subarray(0, 5))).toMatchObject({ damagedAt: [], cutAt: 0 })
  })
})
