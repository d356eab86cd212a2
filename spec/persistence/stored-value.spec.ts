import { describe, expect, test } from '@jest/globals'
import { plain, WeakReference } from '../../lib/persistence/index.js'
import { Reference, WeakOid } from '../../lib/persistence/reference.js'
import { UNOWNED } from '../../lib/persistence/slots.js'
import {
  CommittedMap,
  CommittedSet,
  freezeDecoded,
  importInto,
  importValue,
  isPlainObject,
  isPure,
  localize,
  sameOpaque,
  sealed,
  toCommitted,
} from '../../lib/persistence/stored-value.js'
import { toOid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'
import { errorOf } from '../support/storage-builders.js'

class Money {
  readonly cents = 5
}
class Phones extends Array<string> {}
class Index extends Map<string, string> {}
class Tags extends Set<string> {}
class Moment extends Date {}

/** Its bytes are elsewhere now. */
function transferred<T extends ArrayBuffer | Uint8Array<ArrayBuffer>>(value: T): T {
  structuredClone(value, { transfer: [value instanceof Uint8Array ? value.buffer : value] })
  return value
}

/** `[[[…]]]` */
function nested(depth: number): unknown {
  return depth === 0 ? 'end' : [nested(depth - 1)]
}

const cycle: { self?: unknown[] } = {}
cycle.self = [cycle]

describe('Imported value', () => {
  test.each<[string, unknown, string]>([
    ['a function', function greet() {}, 'it was given a function named greet'],
    ['a symbol', Symbol('x'), 'it was given a symbol'],
    [
      'a deep function',
      { a: [1, new Map([['k', new Set([() => 1])]])] },
      'it.a[1].get(k), member 0 was given a function',
    ],
    ['an instance of a class', [new Money()], 'it[0] was given an instance of Money'],
    ['an Array with a class', Phones.of('a'), 'it was given an instance of Phones'],
    ['a Map with a class', new Index(), 'an instance of Index'],
    ['a Set with a class', new Tags(), 'an instance of Tags'],
    ['a Date with a class', new Moment(), 'an instance of Moment'],
    ['an Error', new Error('x'), 'an instance of Error'],
    ['a RegExp', /x/, 'an instance of RegExp'],
    ['a promise', Promise.resolve(), 'an instance of Promise'],
    ['a boxed text', Object('x'), 'an instance of String'],
    ['a DataView', new DataView(new ArrayBuffer(1)), 'an instance of DataView'],
    ['a WeakMap', new WeakMap(), 'an instance of WeakMap'],
    ['a URL', new URL('https://example.com'), 'an instance of URL'],
    ['shared memory', new SharedArrayBuffer(1), 'an instance of SharedArrayBuffer'],
    [
      'a transferred buffer',
      [transferred(new ArrayBuffer(1))],
      'it[0] was given binary data that was',
    ],
    [
      'a view of one',
      transferred(new Uint8Array(1)),
      'it was given binary data that was transferred',
    ],
    ['what is nested too deep', nested(501), '[0] was given values nested in 500 others'],
    ['a cycle', cycle, 'it.self[0] was given a cycle'],
    ['a lone surrogate', { a: 'x\ud800' }, 'it.a was given a string with a lone surrogate'],
    ['a lone surrogate as a key', { '\udc00': 1 }, 'a property name with a lone surrogate'],
    [
      'a lone surrogate as a Map’s key',
      new Map([['\udc00', 1]]),
      'a key of it was given a string with a lone',
    ],
    ['a symbol as a key', { [Symbol('s')]: 1 }, 'the symbol key Symbol(s)'],
    ['__proto__ as a key', JSON.parse('{"__proto__": 1}'), 'a property named __proto__'],
    ['an object as a Map’s key', new Map([[{}, 1]]), 'an object as a key of a Map'],
  ])('%s is refused by its path', async (_, value, message) => {
    const error = await errorOf(() => importValue(value, 'it'))
    expect(error).toMatchObject({ code: 'PERSISTENCE_UNSTORABLE_VALUE' })
    expect(error.message).toContain(message)
    expect(error.message).toContain('Stored are text')
  })

  test('the error names the object that was written to', async () => {
    const error = await errorOf(() => importInto(new Employee(), () => 1, 'title'))
    expect(error.message).toMatch(/^spec\.Employee \(not added yet\): title was given a function/)
    expect(error).toMatchObject({
      details: { object: 'spec.Employee (not added yet)', where: 'title' },
    })
  })

  test('may be nested deep, but not as deep as the stack', () => {
    expect(importValue(nested(500), 'it')).toEqual(nested(500))
  })

  test('of shared memory seen through a view is the bytes', () => {
    const view = new Uint8Array(new SharedArrayBuffer(2))
    view[1] = 7
    const copy = importValue(view, 'it') as Uint8Array
    expect([copy.buffer instanceof SharedArrayBuffer, [...copy]]).toEqual([false, [0, 7]])
  })

  test('is a copy at all depths', () => {
    const value = {
      list: [[1]],
      map: new Map([['a', [1]]]),
      set: new Set([[1]]),
      at: new Date(0),
      bytes: Buffer.from('a'),
      floats: new Float64Array([1.5]),
    }
    const copy = importValue(value, 'it') as typeof value
    expect(copy).toEqual(value)
    value.list[0]!.push(2)
    value.map.get('a')!.push(2)
    ;[...value.set][0]!.push(2)
    value.at.setTime(1)
    value.bytes[0] = 0
    value.floats[0] = 0
    expect(copy).toEqual({
      list: [[1]],
      map: new Map([['a', [1]]]),
      set: new Set([[1]]),
      at: new Date(0),
      bytes: Buffer.from('a'),
      floats: new Float64Array([1.5]),
    })
  })

  test('one value at two places is no cycle, and becomes two', () => {
    const shared = [1]
    const copy = importValue({ a: shared, b: shared }, 'it') as { a: number[]; b: number[] }
    expect(copy).toEqual({ a: [1], b: [1] })
    expect(copy.a).not.toBe(copy.b)
  })

  test('values of another realm and objects without prototype become plain', () => {
    const foreign = structuredClone({
      list: [1],
      map: new Map([['a', 1]]),
      set: new Set([1]),
      at: new Date(5),
    })
    expect(importValue(foreign, 'it')).toEqual({
      list: [1],
      map: new Map([['a', 1]]),
      set: new Set([1]),
      at: new Date(5),
    })
    const bare = Object.assign(Object.create(null), { a: 1 })
    expect(Object.getPrototypeOf(importValue(bare, 'it'))).toBe(Object.prototype)
    expect([
      isPlainObject(foreign),
      isPlainObject(bare),
      isPlainObject(new Money()),
      isPlainObject([]),
    ]).toEqual([true, true, false, false])
  })

  test('holes of an array become undefined', () => {
    // biome-ignore lint/suspicious/noSparseArray: that is what is tested
    expect(Object.keys(importValue([1, , 3], 'it') as unknown[])).toEqual(['0', '1', '2'])
  })

  test('getters are read once, and what is not enumerable is left out', () => {
    const value = Object.defineProperty(
      {
        get now() {
          return 7
        },
      },
      'hidden',
      { value: () => 1, enumerable: false },
    )
    expect(Object.getOwnPropertyDescriptor(importValue(value, 'it'), 'now')?.value).toBe(7)
    expect(importValue(value, 'it')).toEqual({ now: 7 })
  })
})

describe('Committed value', () => {
  const referrer = {
    refer: () => new Reference(toOid(4)),
    referWeakly: () => new WeakOid(toOid(5)),
  }

  test('holds references for objects, at all depths', () => {
    const bob = new Employee()
    const committed = toCommitted(
      importValue({ bob, list: [bob], map: new Map([['b', bob]]), set: new Set([bob]) }, 'it'),
      referrer,
    )
    expect(committed).toEqual({
      bob: new Reference(toOid(4)),
      list: [new Reference(toOid(4))],
      map: expect.any(CommittedMap),
      set: expect.any(CommittedSet),
    })
    expect(isPure(committed as object)).toBe(false)
  })

  test('parts that are committed already are shared', () => {
    const part = toCommitted({ a: [1] }, referrer)
    expect((toCommitted([part, 2], referrer) as unknown[])[0]).toBe(part)
  })

  test('is pure when it is frozen through and through', () => {
    const pure = [{ a: 1 }, [2]]
    expect(freezeDecoded(pure)).toBe(true)
    expect([isPure(pure), Object.isFrozen(pure[0])]).toEqual([true, true])
    for (const impure of [
      [new Date(0)],
      { a: [Buffer.from('')] },
      new Map([['a', new Reference(toOid(1))]]),
      new Set([new Employee()]),
    ]) {
      expect([freezeDecoded(impure), isPure(impure)]).toEqual([false, false])
    }
  })
})

describe('Localized value', () => {
  test('has objects for references, and watched copies of what nobody can freeze', () => {
    const bob = new Employee()
    const committed = toCommitted(
      { at: new Date(1), list: [bob, [1]] },
      { refer: () => new Reference(toOid(4)), referWeakly: () => new WeakOid(toOid(5)) },
    ) as { at: Date; list: unknown[] }
    const watched: [object, object][] = []
    const local = localize(committed, { ...UNOWNED, resolve: () => bob }, (copy, original) =>
      watched.push([copy, original]),
    ) as typeof committed
    expect(local.list[0]).toBe(bob)
    expect(local.list[1]).toBe(committed.list[1])
    expect(local.at).not.toBe(committed.at)
    expect(watched).toEqual([[local.at, committed.at]])
    local.at.setTime(9)
    expect([sameOpaque(local.at, committed.at), committed.at.getTime()]).toEqual([false, 1])
  })

  test('sealed, it holds objects and refuses to change', () => {
    const bob = new Employee()
    const value = sealed({ list: [bob], map: new Map([['a', 1]]) }) as {
      list: unknown[]
      map: Map<string, number>
    }
    expect(value.list[0]).toBe(bob)
    expect(isPure(value)).toBe(false)
    expect(() => value.list.push(1)).toThrow(TypeError)
    expect(() => value.map.set('b', 2)).toThrow(TypeError)
  })

  test('binary data is compared by its bytes, Dates by their time', () => {
    expect(sameOpaque(Buffer.from('a'), Buffer.from('a'))).toBe(true)
    expect(sameOpaque(Buffer.from('a'), Buffer.from('ab'))).toBe(false)
    expect(sameOpaque(new ArrayBuffer(2), new Uint8Array([0, 1]).buffer)).toBe(false)
    expect(sameOpaque(new Date(Number.NaN), new Date(Number.NaN))).toBe(true)
  })
})

describe('plain', () => {
  test('gives a copy that can be cloned, changed and kept', () => {
    const map = new CommittedMap<string, number[]>().set('a', [1]).complete()
    const copy = plain({ map, set: new CommittedSet().add(1).complete() })
    copy.map.set('b', [])
    expect(structuredClone(copy.map.get('a'))).toEqual([1])
    expect(Object.getPrototypeOf(copy.map)).toBe(Map.prototype)
    expect(Object.getPrototypeOf(copy.set)).toBe(Set.prototype)
    expect([map.size, plain(5)]).toEqual([1, 5])
  })

  test('leaves persistent objects as they are', () => {
    const [bob, weak] = [new Employee(), new WeakReference(new Employee())]
    expect(plain([bob])[0]).toBe(bob)
    expect(plain([weak])[0]).toBe(weak)
  })
})
