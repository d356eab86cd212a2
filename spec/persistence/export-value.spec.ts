import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  fromExportedValue,
  type ImportedReferences,
  parseOid,
  toExportedValue,
} from '../../lib/persistence/export-value.js'
import { Reference, WeakOid } from '../../lib/persistence/reference.js'
import { formatOid, toOid } from '../../lib/storage/index.js'

const references: ImportedReferences = {
  strong: (oid) => new Reference(oid),
  weak: (oid) => new WeakOid(oid),
  outside: () => undefined,
}
const exported = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(toExportedValue(value, () => true)))
const imported = (json: unknown): unknown => fromExportedValue(json, references)

const anyOid = fc.maxSafeNat().map(toOid)
const scalar = fc.oneof(
  fc.double().map((it) => (it === 0 ? 0 : it)),
  fc.bigInt(),
  fc.string(),
  fc.constantFrom(null, undefined, true, false),
)
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalar,
    anyOid.map((oid) => new Reference(oid)),
    anyOid.map((oid) => new WeakOid(oid)),
    fc.date({ noInvalidDate: true }), // no comparison takes two invalid ones for equal
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.float64Array(),
    fc.bigUint64Array(),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$ref', '$map', '$')), tie('value'), {
      noNullPrototype: true,
    }),
    fc.array(fc.tuple(scalar, tie('value'))).map((entries) => new Map(entries)),
    fc.array(tie('value')).map((members) => new Set(members)),
  ),
}))

describe('Exported value', () => {
  test('is JSON that has everything', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(imported(exported(value))).toEqual(value)
      }),
    )
  })

  test('may be an invalid Date', () => {
    const date = imported(exported(new Date(Number.NaN))) as Date
    expect([date instanceof Date, date.getTime()]).toEqual([true, Number.NaN])
  })

  test('stands for itself where JSON can say it', () => {
    const value = { text: 'a', number: 1.5, list: [true, null], inner: { x: 1 } }
    expect(exported(value)).toEqual(value)
  })

  test('names what JSON cannot say', () => {
    const oid = formatOid(toOid(42))
    expect(
      exported([
        undefined,
        Number.NaN,
        5n,
        new Date(0),
        new Date(Number.NaN),
        Buffer.from('ab'),
        new Float32Array([0]),
        new Map([[1, 'a']]),
        new Set(['b']),
        { $ref: 'mine' },
        new Reference(toOid(42)),
        new WeakOid(toOid(42)),
      ]),
    ).toEqual([
      { $undefined: true },
      { $number: 'NaN' },
      { $bigint: '5' },
      { $date: '1970-01-01T00:00:00.000Z' },
      { $date: null },
      { $binary: ['Buffer', 'YWI='] },
      { $binary: ['Float32Array', 'AAAAAA=='] },
      { $map: [[1, 'a']] },
      { $set: ['b'] },
      { $object: [['$ref', 'mine']] },
      { $ref: oid },
      { $weak: oid },
    ])
    expect(toExportedValue(new Reference(toOid(42)), () => false)).toEqual({ $outside: oid })
    expect(imported({ $outside: oid })).toBeUndefined()
  })

  test.each<[unknown]>([
    [{ $nothing: 1 }],
    [{ $ref: 'x' }],
    [{ $ref: 5 }],
    [{ $ref: 'ffffffffffffffff' }],
    [{ $bigint: 'x' }],
    [{ $bigint: 5 }],
    [{ $map: [1] }],
    [{ $set: 'ab' }],
    [{ $date: 5 }],
    [{ $object: [[1, 2]] }],
    [{ $binary: ['Nothing', ''] }],
    [{ $binary: 'YWI=' }],
  ])('%j is none', (json) => {
    expect(() => imported(json)).toThrow()
  })

  test('an oid has 16 digits', () => {
    expect(parseOid('000000000000002a')).toBe(42)
    expect(() => parseOid('2a')).toThrow(RangeError)
  })
})
