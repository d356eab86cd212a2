import { describe, expect, test } from '@jest/globals'
import {
  compareKeys,
  importKey,
  isKey,
  type Key,
  keyToken,
  presentKey,
  searchKeys,
} from '../../../lib/persistence/btree/keys.js'
import { codeThrownBy, errorOf } from '../../support/storage-builders.js'

describe('Keys', () => {
  test('numbers come before bigints, these before text, bytes and tuples', () => {
    const sorted: Key[] = [
      Number.NEGATIVE_INFINITY,
      -1,
      0,
      1.5,
      Number.POSITIVE_INFINITY,
      -5n,
      2n ** 80n,
      '',
      'A',
      'a',
      'aa',
      Uint8Array.of(),
      Uint8Array.of(1, 255),
      Uint8Array.of(2),
      [],
      [1],
      [1, 'a'],
      ['a'],
      ['a', Uint8Array.of(7)],
      ['a', []],
      ['b'],
    ]
    for (let one = 0; one < sorted.length; one++) {
      for (let other = 0; other < sorted.length; other++) {
        expect(Math.sign(compareKeys(sorted[one]!, sorted[other]!))).toBe(Math.sign(one - other))
      }
    }
  })

  test.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['undefined', undefined],
    ['null', null],
    ['an object', { a: 1n }],
    ['a symbol', Symbol('x')],
    ['a function', () => undefined],
    ['a lone surrogate', '\udc00'],
    ['a tuple with one of these', ['a', null]],
  ])('%s is refused, and the error says what is allowed', async (_, key) => {
    const error = await errorOf(() => importKey(key))
    expect(error).toMatchObject({ code: 'PERSISTENCE_INVALID_KEY' })
    expect(error.message).toContain('keys are text')
  })

  test('a tuple is copied and frozen, and -0 is 0', async () => {
    const mine: Key[] = ['a', [1]]
    const key = importKey(mine)
    mine.push('b')
    expect(key).toEqual(['a', [1]])
    expect(Object.isFrozen(key) && Object.isFrozen((key as Key[])[1])).toBe(true)
    expect(Object.is(importKey(-0), 0)).toBe(true)
    expect(await codeThrownBy(() => (key as Key[]).push('x'))).toMatch('TypeError')
  })

  test('tokens are equal for equal keys and for no others', () => {
    const keys: Key[] = [
      1,
      1n,
      '1',
      ['1'],
      [1],
      [1n],
      [[1]],
      [],
      '',
      ['a', 'b'],
      ['a,b'],
      ['a', ['b']],
      'tuple:string:1:a',
      ['a'],
      Uint8Array.of(49),
      [Uint8Array.of(49)],
      Uint8Array.of(),
    ]
    expect(new Set(keys.map(keyToken)).size).toBe(keys.length)
    expect(keyToken(['a', [1n, 'b']])).toBe(keyToken(['a', [1n, 'b']]))
  })

  test('bytes are copied on their way in and out', () => {
    const mine = Buffer.from([1, 2])
    const key = importKey(mine) as Uint8Array
    mine[0] = 9
    expect(key).toEqual(Uint8Array.of(1, 2))
    const given = presentKey(key) as Uint8Array
    given[0] = 9
    const tuple = importKey(['a', Uint8Array.of(3)])
    const [, part] = presentKey(tuple) as [string, Uint8Array]
    part[0] = 9
    expect([key, tuple]).toEqual([Uint8Array.of(1, 2), ['a', Uint8Array.of(3)]])
    expect(presentKey(importKey(['a']))).toEqual(['a'])
  })

  test('what is a key is known without an error', () => {
    expect([1, 1n, 'a', [], ['a', [1]], Uint8Array.of()].map(isKey)).not.toContain(false)
    expect([Number.NaN, null, undefined, {}, Symbol('x'), true, [null]].map(isKey)).not.toContain(
      true,
    )
  })

  test.each<[string, Key[]]>([
    ['numbers', [-3, 0, 0.5, 7, 2 ** 40]],
    ['bigints', [-3n, 0n, 7n, 2n ** 70n]],
    ['text', ['', 'A', 'a', 'aa', 'é']],
    ['bytes', [Uint8Array.of(), Uint8Array.of(1), Uint8Array.of(1, 0), Uint8Array.of(2)]],
  ])('a search among %s finds each, and the place of each that is gone', (_, keys) => {
    keys.forEach((key, at) => {
      expect(searchKeys(keys, key)).toBe(at)
      expect(searchKeys(keys.toSpliced(at, 1), key)).toBe(~at)
    })
  })

  test('a search gives the position, or where the key belongs', () => {
    const keys: Key[] = [1, 3, 'a', 'c', ['x']]
    expect(keys.map((key) => searchKeys(keys, key))).toEqual([0, 1, 2, 3, 4])
    expect([0, 2, 5n, 'b', ['a'], ['y']].map((key) => searchKeys(keys, key as Key))).toEqual([
      ~0,
      ~1,
      ~2,
      ~3,
      ~4,
      ~5,
    ])
    expect(searchKeys([], 'a')).toBe(~0)
    expect(searchKeys(keys, Number.NaN)).toBeLessThan(0)
  })
})
