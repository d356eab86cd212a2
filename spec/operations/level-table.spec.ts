import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { checkTable } from '../../lib/operations/level-table.js'
import { aLevelDirectory, filesOf, keyOf } from '../support/level-directory.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

async function aTable(options: { compression?: boolean } = {}): Promise<Buffer> {
  const directory = await aLevelDirectory(await directories.create(), options)
  const tables = [...(await filesOf(directory, /\.ldb$/)).values()]
  return (tables.find((table) => table.includes('value 700 ')) ?? tables[0]) as Buffer
}

/** The table with one bit flipped. */
function flipped(table: Buffer, at: number, bit = 0): Buffer {
  const copy = Buffer.from(table)
  copy[at] = (copy[at] as number) ^ (1 << bit)
  return copy
}

describe('A table of LevelDB', () => {
  test.each([[true], [false]])(
    'as it was written is sound, compressed: %s',
    async (compression) => {
      const { blocks, damaged } = checkTable(await aTable({ compression }))
      expect(damaged).toEqual([])
      expect(blocks).toBeGreaterThan(5)
    },
  )

  test('has no bit that can be flipped unnoticed', async () => {
    for (const compression of [true, false]) {
      const table = await aTable({ compression })
      fc.assert(
        fc.property(fc.nat(table.length - 1), fc.nat(7), (at, bit) => {
          expect(checkTable(flipped(table, at, bit)).damaged).not.toEqual([])
        }),
        { numRuns: 400 },
      )
    }
  })

  test('names the keys of a damaged block', async () => {
    const table = await aTable({ compression: false })
    const at = table.indexOf('value 700 ')
    const [damage, ...others] = checkTable(flipped(table, at)).damaged
    expect(others).toEqual([])
    expect(damage).toMatchObject({
      part: 'data block',
      why: 'its checksum does not match its bytes',
    })
    const { above = Buffer.alloc(0), upTo = Buffer.alloc(0) } = damage?.keys ?? {}
    expect(above.toString() < keyOf(700)).toBe(true)
    expect(upTo.toString() >= keyOf(700)).toBe(true)
    expect(upTo.toString() < keyOf(800)).toBe(true)
  })

  test('without its last bytes has a damaged footer, and nobody knows the rest', async () => {
    const table = await aTable()
    for (const length of [0, 10, table.length - 1]) {
      const { damaged } = checkTable(table.subarray(0, length))
      expect(damaged).toEqual([expect.objectContaining({ part: 'footer', keys: {} })])
    }
  })

  test('of any bytes at all is not sound, and no reason to fail', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(checkTable(Buffer.from(bytes)).damaged).toHaveLength(1)
      }),
    )
  })
})
