import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Level } from 'level'
import { batchesOf, examineLog, putsOf } from '../../lib/storage/level-log.js'
import { aLogOf, aLogWith, FIRST, LAST } from '../support/level-log-builder.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
const BATCHES = 300
let log: Buffer
/** Nothing good follows damage from here on. */
let lastRecordAt = 0

beforeAll(async () => {
  const directory = await directories.create()
  const level = new Level(directory)
  await level.open()
  // Of all sizes, some longer than two blocks.
  for (let i = 0; i < BATCHES; i++) {
    const size = i % 50 === 20 ? 70_000 : (i * 37) % 900
    if (i === BATCHES - 1) lastRecordAt = await sizeOfLog(directory)
    await level.put(`key ${i}`, 'v'.repeat(size))
  }
  log = await readLog(directory)
  await level.close()
})
afterAll(() => directories.removeAll())

async function readLog(directory: string): Promise<Buffer> {
  const name = (await readdir(directory)).find((file) => file.endsWith('.log'))!
  return readFile(join(directory, name))
}

const sizeOfLog = async (directory: string): Promise<number> => (await readLog(directory)).length

describe('A log of LevelDB', () => {
  test('is read to its end', () => {
    expect(log.length).toBeGreaterThan(500_000)
    expect(examineLog(log).damage).toBeUndefined()
  })

  test('numbers its entries without a gap', () => {
    expect(examineLog(log)).toMatchObject({
      numbers: { first: 1, next: BATCHES + 1 },
      isGapless: true,
    })
    // The last batch is cut.
    expect(examineLog(log.subarray(0, -1)).numbers).toEqual({ first: 1, next: BATCHES })
  })

  test.each([
    ['nothing', aLogOf(), undefined, true],
    [
      'batches that follow one another',
      aLogOf([2 ** 32, 3], [2 ** 32 + 3, 1]),
      [2 ** 32, 2 ** 32 + 4],
      true,
    ],
    ['a batch without entries', aLogOf([5, 0], [5, 1]), [5, 6], true],
    ['a gap', aLogOf([1, 3], [5, 1]), [1, 4], false],
    ['batches in another order', aLogOf([4, 1], [3, 1]), [4, 5], false],
    ['a batch that does not begin', aLogWith([LAST, Buffer.alloc(12)]), undefined, false],
    [
      'a batch without a head',
      aLogWith([FIRST, Buffer.alloc(6)], [LAST, Buffer.alloc(5)]),
      undefined,
      false,
    ],
    [
      'a head in two pieces',
      aLogWith([FIRST, Buffer.from([7])], [LAST, Buffer.alloc(11)]),
      [7, 7],
      true,
    ],
  ])('with %s says so', (_, bytes, numbers, isGapless) => {
    const [first, next] = numbers ?? []
    expect(examineLog(bytes)).toEqual({
      damage: undefined,
      numbers: numbers && { first, next },
      isGapless,
    })
  })

  test('gives what each batch puts, in order', () => {
    const keys = [...batchesOf(log)].flatMap(({ data, isRead }) =>
      [...putsOf(data)].map(([key, value]) => `${key} ${value.length} ${isRead}`),
    )
    const sizes = Array.from({ length: BATCHES }, (_, i) =>
      i % 50 === 20 ? 70_000 : (i * 37) % 900,
    )
    expect(keys).toEqual(sizes.map((size, i) => `key ${i} ${size} true`))
  })

  test('gives the batches after damage, and which of them LevelDB leaves out', () => {
    const damaged = Buffer.from(log)
    damaged[5]! ^= 0x7f
    const batches = [...batchesOf(damaged)]
    expect(batches.length).toBe(BATCHES - 1)
    expect(batches.filter(({ at, isRead }) => isRead !== at >= 32768)).toEqual([])
  })

  test('cut anywhere is no damage: a write was interrupted', () => {
    fc.assert(
      fc.property(fc.nat(log.length), (size) => {
        expect(examineLog(log.subarray(0, size)).damage).toBeUndefined()
      }),
    )
  })

  test('that ends in zeros is no damage', () => {
    const padded = Buffer.concat([log.subarray(0, log.length - 300), Buffer.alloc(100_000)])
    expect(examineLog(padded).damage).toBeUndefined()
  })

  test.each([
    ['its length too long', 5, 0x7f],
    ['its length too short', 4, 0x01],
    ['its type unknown', 6, 0x80],
  ])('whose first record has %s is damaged, though all is in one block', (_, offset, bits) => {
    const damaged = Buffer.from(log.subarray(0, 20_000))
    damaged[offset]! ^= bits
    expect(examineLog(damaged).damage?.at).toBe(0)
  })

  test('with a bit flipped before its last record is damaged, at or before that bit', () => {
    fc.assert(
      fc.property(fc.nat(lastRecordAt * 8 - 1), (bit) => {
        const damaged = Buffer.from(log)
        damaged[bit >> 3]! ^= 1 << (bit & 7)
        const padding = isPadding(bit >> 3)
        const damage = examineLog(damaged).damage?.at
        if (padding) expect(damage).toBeUndefined()
        else expect(damage).toBeLessThanOrEqual(bit >> 3)
      }),
    )
  })
})

/** The last bytes of a block where no header fits. */
function isPadding(offset: number): boolean {
  const blockEnd = (Math.floor(offset / 32768) + 1) * 32768
  return blockEnd - offset < 7 && log.subarray(offset, blockEnd).every((byte) => byte === 0)
}
