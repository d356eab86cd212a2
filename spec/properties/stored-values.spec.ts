import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ObjectDatabase, plain } from '../../lib/persistence/index.js'
import { bobOf, Employee } from '../support/persistence-builders.js'
import { errorOf, TemporaryDirectories } from '../support/storage-builders.js'

/** `-0` is stored as `0`. */
const number = fc.double().map((it) => (it === 0 ? 0 : it))
const text = fc.string({ unit: 'binary' }).filter((it) => it.isWellFormed())
const scalar = fc.oneof(
  number,
  fc.integer(),
  fc.bigInt(),
  text,
  fc.constantFrom(null, undefined, true, false),
)
const binary = fc.oneof(
  fc.int8Array(),
  fc.uint8Array(),
  fc.uint8ClampedArray(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.uint8Array().map((bytes) => Uint8Array.from(bytes).buffer),
)
/** Every kind of value, at any depth. */
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalar,
    binary,
    fc.date({ noInvalidDate: true }), // no comparison takes two invalid ones for equal
    fc.array(tie('value')),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
    ),
    fc
      .uniqueArray(fc.tuple(scalar, tie('value')), { selector: ([key]) => key })
      .map((entries) => new Map(entries)),
    fc.array(tie('value')).map((members) => new Set(members)),
  ),
}))

const directories = new TemporaryDirectories()
let db: ObjectDatabase

beforeAll(async () => {
  db = await ObjectDatabase.open(await directories.create())
  await db.transaction(({ rootMapping }) => void rootMapping.set('bob', new Employee()))
})
afterAll(async () => {
  await db.close()
  await directories.removeAll()
})

async function stored(value: unknown): Promise<unknown> {
  await db.transaction((context) => {
    bobOf(context).data = value
  })
  db.cacheClear()
  return db.view((context) => plain(bobOf(context).data))
}

describe('A stored value', () => {
  test('is read from LevelDB as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(anyValue, async (value) => {
        const read = await stored(value)
        if (!isDeepStrictEqual(read, value)) expect(read).toEqual(value)
      }),
      { numRuns: 150 },
    )
  })

  test('may be an invalid Date', async () => {
    const { when } = (await stored({ when: new Date(Number.NaN) })) as { when: Date }
    expect([when.getTime(), String(when)]).toEqual([Number.NaN, 'Invalid Date'])
  })

  test('may be large', async () => {
    const value = { text: 'é'.repeat(3_000_000), bytes: Buffer.alloc(5_000_000, 7), n: 2n ** 9999n }
    expect(isDeepStrictEqual(await stored(value), value)).toBe(true)
  })

  test('with a part that cannot be stored is refused whole, by the path to it', async () => {
    const offender = fc.constantFrom<[unknown]>(
      [() => 1],
      [Symbol('s')],
      [/x/],
      [new URL('https://example.com')],
      [new Error('x')],
      [new WeakMap()],
      ['\ud800'],
      [new SharedArrayBuffer(1)],
      [new DataView(new ArrayBuffer(1))],
    )
    const before = await stored('kept')
    await fc.assert(
      fc.asyncProperty(offender, fc.array(fc.string({ minLength: 1 })), async ([bad], path) => {
        const keys = path.filter((key) => key !== '__proto__')
        const value = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), bad)
        const error = await errorOf(() => stored(value))
        expect(error).toMatchObject({
          code: 'PERSISTENCE_UNSTORABLE_VALUE',
          details: { where: ['data', ...keys].join('.') },
        })
        expect(error.message).toContain('spec.Employee')
      }),
      { numRuns: 50 },
    )
    expect(await db.view((context) => bobOf(context).data)).toBe(before)
  })
})
