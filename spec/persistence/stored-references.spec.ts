import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { TreeNode } from '../../lib/persistence/btree/tree-node.js'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { ClassTable, NODE_LAYOUT, type StateLayout } from '../../lib/persistence/class-table.js'
import { BTree, referencesOf } from '../../lib/persistence/index.js'
import { Reference, WeakOid } from '../../lib/persistence/reference.js'
import { encodeState } from '../../lib/persistence/state-codec.js'
import { CommittedMap, CommittedSet } from '../../lib/persistence/stored-value.js'
import { type Oid, toOid } from '../../lib/storage/index.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

const FLAT = { treeIndex: -1 } as StateLayout
const encode = (...values: unknown[]): Buffer => Buffer.from(encodeState(values, FLAT))
const strong = (oid: number): Reference => new Reference(toOid(oid))
const weak = (oid: number): WeakOid => new WeakOid(toOid(oid))
const mapOf = (entries: Iterable<readonly [unknown, unknown]>): CommittedMap<unknown, unknown> => {
  const map = new CommittedMap()
  for (const [key, value] of entries) map.set(key, value)
  return map.complete()
}
const setOf = (members: Iterable<unknown>): CommittedSet<unknown> => {
  const set = new CommittedSet()
  for (const member of members) set.add(member)
  return set.complete()
}

const anyOid = fc.oneof(
  fc.nat({ max: 300 }),
  fc.integer({ min: 0, max: 2 ** 32 + 5 }),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
)

/** Committed values of every kind, at any depth. */
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    anyOid.map(strong),
    anyOid.map(weak),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.string({ unit: 'binary', maxLength: 70 }),
    fc.nat({ max: 70_000 }).map((length) => 'x'.repeat(length)),
    fc.constantFrom(null, undefined, true, false),
    fc.date(),
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.float64Array({ maxLength: 3 }),
    fc.bigInt64Array({ maxLength: 3 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string({ maxLength: 40 }), tie('value'), { maxKeys: 20 }),
    fc.array(fc.tuple(fc.oneof(fc.string(), fc.integer(), fc.bigInt()), tie('value'))).map(mapOf),
    fc.array(tie('value'), { maxLength: 5 }).map(setOf),
  ),
}))

/** The same found by walking the values. */
function walk(value: unknown, found: { strong: Oid[]; weak: Oid[] }): typeof found {
  if (value instanceof Reference) found.strong.push(value.oid)
  else if (value instanceof WeakOid) found.weak.push(value.oid)
  else if (Array.isArray(value)) for (const item of value) walk(item, found)
  else if (value instanceof Map || value instanceof Set) {
    for (const item of value.values()) walk(item, found)
  } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) walk(item, found)
  }
  return found
}

describe('References of a state', () => {
  test('are those that a walk through its values finds, in their order', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 20 }), (values) => {
        expect(referencesOf(encode(...values))).toEqual(walk(values, { strong: [], weak: [] }))
      }),
    )
  })

  test('tell the weak from the strong', () => {
    const state = encode([strong(1), weak(2)], mapOf([['a', strong(3)]]), setOf([weak(4)]))
    expect(referencesOf(state)).toEqual({ strong: [1, 3], weak: [2, 4] })
  })

  test('are each as often as they are named', () => {
    expect(referencesOf(encode(strong(5), { again: strong(5) })).strong).toEqual([5, 5])
  })

  test('include the items and children of a tree', () => {
    const leaf = new TreeNode(0, ['a', 'b', 'c'], [strong(7), 'plain', [weak(2 ** 40)]])
    expect(referencesOf(Buffer.from(encodeState([leaf], NODE_LAYOUT)))).toEqual({
      strong: [7],
      weak: [2 ** 40],
    })
    const root = new TreeNode(1, ['b'], [strong(2 ** 33), strong(9)], 2)
    const layout = new ClassTable([]).layoutFor(layoutOf(BTree))
    expect(referencesOf(Buffer.from(encodeState([root], layout))).strong).toEqual([2 ** 33, 9])
  })

  test('are found in a part of a larger buffer', () => {
    const state = encode(strong(2 ** 50))
    const larger = Buffer.concat([Buffer.alloc(3), state, Buffer.alloc(3)])
    expect(referencesOf(larger.subarray(3, 3 + state.length)).strong).toEqual([2 ** 50])
  })

  test('are refused where the bytes end too early or late, and the oid is named', async () => {
    const state = encode(['text', strong(2 ** 40)], { a: 1 }, Buffer.alloc(300))
    for (let length = 0; length < state.length; length++) {
      expect(await codeThrownBy(() => referencesOf(state.subarray(0, length)))).toBe(
        'STORAGE_CORRUPT_RECORD',
      )
    }
    const error = await errorOf(() => referencesOf(Buffer.concat([state, state]), toOid(7)))
    expect(error.message).toContain('0000000000000007')
  })

  test('any bytes are a state or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          const { strong: one, weak: other } = referencesOf(bytes)
          expect([...one, ...other].every((oid) => Number.isSafeInteger(oid))).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORAGE_CORRUPT_RECORD' })
        }
      }),
      { numRuns: 1000 },
    )
  })
})
