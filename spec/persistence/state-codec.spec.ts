import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual, promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { ClassTable } from '../../lib/persistence/class-table.js'
import { BTree } from '../../lib/persistence/index.js'
import { Reference } from '../../lib/persistence/reference.js'
import { decodeState, encodeState, sameValue } from '../../lib/persistence/state-codec.js'
import { importValue, toCommitted } from '../../lib/persistence/stored-value.js'
import { type StorageRecord, toOid, toTid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

const noObjects = {
  refer: (): never => {
    throw new Error('no object here')
  },
  referWeakly: (): never => {
    throw new Error('no object here')
  },
}

/** A table that knows employees. */
function aTable(): { classes: ClassTable; classId: number } {
  const classes = new ClassTable([])
  return { classes, classId: classes.idFor(classes.layoutFor(layoutOf(Employee))) }
}

function aRecord(classId: number, state: Uint8Array): StorageRecord {
  return { oid: toOid(7), tid: toTid(3), classId, state: Buffer.from(state) }
}

/** The value after it was stored and read. */
function stored(value: unknown): unknown {
  const { classes, classId } = aTable()
  const committed = toCommitted(importValue(value, 'it'), noObjects)
  const layout = classes.layoutFor(layoutOf(Employee))
  const bytes = encodeState([committed, 1, 2, 3], layout)
  const { values, oid, serial } = decodeState(aRecord(classId, bytes), classes)
  expect([oid, serial, values.slice(1)]).toEqual([7, 3, [1, 2, 3]])
  return values[0]
}

const kindOf = (value: unknown): string => Object.prototype.toString.call(value)

describe('State codec', () => {
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['2^53', 2 ** 53],
    ['the smallest number', 5e-324],
    ['a small bigint', 5n],
    ['0n', 0n],
    ['the 64-bit bigints', [2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)]],
    [
      'bigints beyond 64 bit',
      [2n ** 64n, -(2n ** 63n) - 1n, 2n ** 200n, -(2n ** 200n), 3n ** 5000n, -(3n ** 5000n)],
    ],
    ['an empty text', ''],
    ['a long text', 'é'.repeat(70_000)],
    ['an emoji', '\u{1f600}'],
    ['empty containers', [[], {}, new Map(), new Set()]],
    ['undefined inside', { a: undefined, b: [undefined, null] }],
    ['a Map in a Set in a Map', new Map([['a', new Set([new Map([[1, [new Set()]]])])]])],
    [
      'Map keys of all kinds',
      new Map<unknown, unknown>([
        [1, 'n'],
        ['1', 's'],
        [1n, 'b'],
        [true, 't'],
        [null, 0],
        [undefined, 1],
        [Number.NaN, 2],
      ]),
    ],
    [
      'own keys that objects inherit',
      { constructor: 'x', toString: 1, hasOwnProperty: null, valueOf: undefined, toJSON: 'no' },
    ],
    [
      'a key named constructor alone',
      [{ constructor: null }, { constructor: undefined }, { constructor: {} }],
    ],
    ['keys that look like numbers', { 1: 'a', '01': 'b', '-1': 'c', '': 'd' }],
    ['long keys', { ['k'.repeat(300)]: 1, ['é'.repeat(70)]: 2 }],
    ['a large array', Array.from({ length: 70_000 }, (_, n) => n)],
    ['a large object', Object.fromEntries(Array.from({ length: 70_000 }, (_, n) => [`k${n}`, n]))],
    [
      'Dates',
      [new Date(0), new Date(-1), new Date(1.7e12 + 1), new Date(8.64e15), new Date(-8.64e15)],
    ],
    ['a Buffer', Buffer.from([1, 2, 255])],
    ['a Uint8Array', new Uint8Array([1, 2, 255])],
    ['empty binary data', [Buffer.alloc(0), new Uint8Array(0), new ArrayBuffer(0)]],
    ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
  ])('%s is stored faithfully', (_, value) => {
    const read = stored(value)
    expect(kindOf(read)).toBe(kindOf(value))
    expect(isDeepStrictEqual(importValue(read, 'it'), value)).toBe(true)
  })

  test('an invalid Date stays one', () => {
    const read = stored(new Date(Number.NaN)) as Date
    expect(read).toBeInstanceOf(Date)
    expect(read.getTime()).toBeNaN()
  })

  test('a Buffer is read as a Buffer, a Uint8Array as a Uint8Array', () => {
    expect(Buffer.isBuffer(stored(Buffer.from('ab')))).toBe(true)
    const bytes = stored(new Uint8Array([1]))
    expect(Buffer.isBuffer(bytes)).toBe(false)
    expect(bytes).toBeInstanceOf(Uint8Array)
  })

  test('-0 is stored, and kept in memory, as 0', () => {
    expect(Object.is(importValue(-0, 'it'), 0)).toBe(true)
    expect(Object.is((stored([-0]) as number[])[0], 0)).toBe(true)
  })

  test('any number, bigint, text and Date', () => {
    fc.assert(
      fc.property(
        fc.double(),
        fc.bigInt(),
        fc.string({ unit: 'binary' }),
        fc.date({ noInvalidDate: true }),
        (...values) => {
          expect(
            isDeepStrictEqual(
              importValue(stored(values), 'it'),
              values.map((it) => (it === 0 ? 0 : it)),
            ),
          ).toBe(true)
        },
      ),
    )
  })

  test('what is read is frozen, and Map and Set refuse to change', () => {
    const value = stored({ list: [{}], map: new Map([['a', {}]]), set: new Set([[]]) }) as {
      list: object[]
      map: Map<string, object>
      set: Set<object>
    }
    expect(
      [value, value.list, value.list[0], value.map.get('a'), [...value.set][0]].every(
        Object.isFrozen,
      ),
    ).toBe(true)
    expect(() => value.map.set('b', {})).toThrow(TypeError)
    expect(() => value.map.delete('a')).toThrow(TypeError)
    expect(() => value.map.clear()).toThrow(TypeError)
    expect(() => value.set.add([])).toThrow(TypeError)
    expect(() => value.set.delete([])).toThrow(TypeError)
    expect(() => value.set.clear()).toThrow(TypeError)
  })

  test('a reference is stored as its oid', () => {
    const { classes, classId } = aTable()
    const layout = classes.layoutFor(layoutOf(Employee))
    const bytes = encodeState(['', [], new Reference(toOid(2 ** 40)), undefined], layout)
    expect(decodeState(aRecord(classId, bytes), classes).values[2]).toEqual(
      new Reference(toOid(2 ** 40)),
    )
  })

  test('bytes that are no state are a corrupt record', async () => {
    const { classes, classId } = aTable()
    for (const bytes of [Buffer.from([0x01]), Buffer.from([0xdd, 0xff]), Buffer.alloc(0)]) {
      const error = await errorOf(() => decodeState(aRecord(classId, bytes), classes))
      expect(error).toMatchObject({ code: 'STORAGE_CORRUPT_RECORD' })
      expect(error.message).toContain('0000000000000007')
    }
  })

  test('a class that the program lacks is named', async () => {
    const classes = new ClassTable([{ classId: 1, name: 'spec.Gone', fields: [] }])
    const error = await errorOf(() => decodeState(aRecord(1, Buffer.from([0x90])), classes))
    expect(error).toMatchObject({
      code: 'PERSISTENCE_UNKNOWN_CLASS',
      details: { storedName: 'spec.Gone' },
    })
    expect(error.message).toMatch(/0000000000000007.*spec\.Gone.*Import the module/)
    expect(await codeThrownBy(() => decodeState(aRecord(2, Buffer.from([0x90])), classes))).toBe(
      'PERSISTENCE_UNKNOWN_CLASS',
    )
  })

  test('an empty tree needs no node', () => {
    const classes = new ClassTable([])
    const layout = classes.layoutFor(layoutOf(BTree))
    const bytes = encodeState([undefined], layout)
    expect(decodeState(aRecord(classes.idFor(layout), bytes), classes).values).toEqual([undefined])
  })

  test('two values are the same when their bytes are', () => {
    expect(sameValue([1, { a: 2 }], [1, { a: 2 }])).toBe(true)
    expect([
      sameValue([1], [2]),
      sameValue(1, '1'),
      sameValue(null, {}),
      sameValue(undefined, null),
    ]).toEqual([false, false, false, false])
    expect(sameValue(new Reference(toOid(1)), new Reference(toOid(1)))).toBe(true)
    expect(sameValue(Number.NaN, Number.NaN)).toBe(true)
  })
})

describe('Two copies of treehook in one process', () => {
  test('that share one msgpackr are told of, one is not', async () => {
    const run = promisify(execFile)
    const codec = pathToFileURL(resolve('lib/persistence/state-codec.ts')).href
    const warnings = async (...modules: readonly string[]): Promise<string> => {
      const script = modules.map((module) => `await import(${JSON.stringify(module)})`).join(';')
      const nodeOptions = ['--import', 'tsx', '--input-type=module', '--eval', script]
      return (await run(process.execPath, nodeOptions)).stderr
    }
    expect(await warnings(codec)).not.toContain('TREEHOOK_LOADED_TWICE')
    expect(await warnings(codec, `${codec}?again`)).toContain('TREEHOOK_LOADED_TWICE')
  })
})
