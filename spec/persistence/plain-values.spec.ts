import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { ClassTable } from '../../lib/persistence/class-table.js'
import { PlainReader } from '../../lib/persistence/plain-values.js'
import { Reference } from '../../lib/persistence/reference.js'
import { encodeState, unpackState } from '../../lib/persistence/state-codec.js'
import { toOid, toTid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'

const layout = new ClassTable([]).layoutFor(layoutOf(Employee))

const bytesOf = (values: readonly unknown[]): Buffer => Buffer.from(encodeState(values, layout))

const read = (bytes: Uint8Array): unknown[] | undefined => new PlainReader().read(bytes)

/** As msgpackr reads it; `undefined` for what it refuses. */
function unpacked(bytes: Uint8Array): unknown[] | undefined {
  try {
    return unpackState({ oid: toOid(1), tid: toTid(1), classId: 1, state: Buffer.from(bytes) })
  } catch {
    return undefined
  }
}

const scalar = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.nat().map((oid) => new Reference(toOid(oid))),
  fc.constantFrom(
    true,
    false,
    null,
    undefined,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    -32,
    -33,
    127,
    128,
    65536,
  ),
)
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 200, maxLength: 400 }))

describe('A reader of plain states', () => {
  test.each([
    [[]],
    [[0, 31, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1]],
    [[-1, -32, 1.5, -1.5, 2 ** 40, Number.NaN, Number.POSITIVE_INFINITY]],
    [[null, undefined, true, false]],
    [['', 'é\u{1f600}\ufeff', 'x'.repeat(70_00)]],
    [[new Reference(toOid(5)), new Reference(toOid(70_000)), new Reference(toOid(2 ** 40))]],
  ])('reads %j', (values: readonly unknown[]) => {
    expect(read(bytesOf(values))).toEqual(values)
  })

  test.each<[string, unknown[]]>([
    ['an array', [[1]]],
    ['an object', [{ a: 1 }]],
    ['a Date', [new Date(0)]],
    ['a bigint', [5n]],
    ['four texts', ['a', 'b', 'c', 'd']],
    ['sixteen values', new Array(16).fill(1)],
  ])('leaves a state with %s to others', (_, values) => {
    expect(read(bytesOf(values))).toBeUndefined()
  })

  test('leaves bytes that are no state to others, and those that end early or late', () => {
    const bytes = bytesOf(['a text', 70_000, 1.5, new Reference(toOid(300))])
    for (let end = 0; end < bytes.length; end++)
      expect(read(bytes.subarray(0, end))).toBeUndefined()
    expect(read(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined()
  })

  test('reads what msgpackr reads, or leaves it', () => {
    fc.assert(
      fc.property(
        fc.array(scalar, { maxLength: 8 }),
        fc.array(text, { maxLength: 3 }),
        (some, texts) => {
          const bytes = bytesOf([...some, ...texts])
          const values = read(bytes)
          if (values !== undefined) expect(values).toEqual(unpacked(bytes))
        },
      ),
    )
  })

  test('reads no bytes that msgpackr refuses, and none otherwise', () => {
    const ascii = fc.constantFrom(...Array.from({ length: 128 }, (_, byte) => byte))
    const marks = fc.constantFrom(
      0x91,
      0x92,
      0x93,
      0xa1,
      0xa3,
      0xc0,
      0xc1,
      0xc2,
      0xcb,
      0xcc,
      0xcd,
      0xce,
    )
    const more = fc.constantFrom(0xca, 0xcf, 0xd0, 0xd4, 84, 0, 0xd9, 0xda, 0xdb, 0xe0, 0xff)
    fc.assert(
      fc.property(fc.array(fc.oneof(marks, more, ascii), { maxLength: 12 }), (bytes) => {
        const values = read(Buffer.from(bytes))
        if (values !== undefined) expect(values).toEqual(unpacked(Buffer.from(bytes)))
      }),
      { numRuns: 2000 },
    )
  })

  test('stops trying where sixteen in a row were not plain, and not before', () => {
    const [reader, plain, other] = [new PlainReader(), bytesOf([1]), bytesOf([[1]])]
    for (let n = 0; n < 15; n++) reader.read(other)
    expect(reader.read(plain)).toEqual([1])
    for (let n = 0; n < 16; n++) reader.read(other)
    expect(reader.read(plain)).toBeUndefined()
  })
})
