import { isDeepStrictEqual } from 'node:util'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { plain } from '../../lib/persistence/index.js'
import {
  aConnection,
  aDatabaseWithBob,
  bobOf,
  ofStoredBob,
} from '../support/persistence-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

const scalar: fc.Arbitrary<unknown> = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double().map((n) => (n === 0 ? 0 : n)),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
)
const opaque: fc.Arbitrary<unknown> = fc.oneof(
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 8 }),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
)
const name = fc.constantFrom('a', 'b', 'constructor', 'toJSON', 'length', '0', '')
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    opaque,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(scalar, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((members) => new Set(members)),
  ),
}))

/** One random change somewhere inside; both sides take the same turns by the same numbers. */
type Change = {
  readonly turns: readonly number[]
  readonly deed: number
  readonly at: number
  readonly value: unknown
}
const change: fc.Arbitrary<Change> = fc.record({
  turns: fc.array(fc.nat(), { maxLength: 3 }),
  deed: fc.nat(),
  at: fc.nat(),
  value,
})

type Container = unknown[] | Map<unknown, unknown> | Set<unknown> | Record<string, unknown>

const isContainer = (it: unknown): it is Container =>
  typeof it === 'object' && it !== null && !(it instanceof Date) && !ArrayBuffer.isView(it)

const childrenOf = (container: Container): unknown[] =>
  container instanceof Map || container instanceof Set
    ? [...container.values()]
    : Object.values(container)

function apply(root: unknown, { turns, deed, at, value: given }: Change): void {
  let target = root
  for (const turn of turns) {
    const children = isContainer(target) ? childrenOf(target) : []
    if (children.length === 0) break
    target = children[turn % children.length]
  }
  if (target instanceof Date) target.setTime(at % 1e9)
  else if (ArrayBuffer.isView(target)) (target as Uint8Array)[0] = at
  else if (Array.isArray(target)) changeArray(target, deed, at, given)
  else if (target instanceof Map) changeMap(target, deed, at, given)
  else if (target instanceof Set) changeSet(target, deed, at, given)
  else if (typeof target === 'object' && target !== null)
    changeObject(target as Record<string, unknown>, deed, at, given)
}

/** Given values are copied by treehook, so the reference gets a copy of its own. */
const copy = (it: unknown): unknown => plain(it)

function changeArray(array: unknown[], deed: number, at: number, given: unknown): void {
  const deeds = [
    () => array.push(copy(given), copy(given)),
    () => array.unshift(copy(given)),
    () => array.pop(),
    () => array.shift(),
    () => array.reverse(),
    () => array.splice(at % (array.length + 1), at % 3, copy(given)),
    () => array.sort((a, b) => String(typeof a).localeCompare(typeof b)),
    () => {
      array[at % (array.length + 1)] = copy(given)
    },
    () => {
      array.length = at % (array.length + 1)
    },
  ]
  deeds[deed % deeds.length]!()
}

function changeMap(map: Map<unknown, unknown>, deed: number, at: number, given: unknown): void {
  const key = [...map.keys()][at % Math.max(1, map.size)]
  const deeds = [
    () => map.set(at % 5, copy(given)),
    () => map.set(key, copy(given)),
    () => map.delete(key),
    () => map.clear(),
  ]
  deeds[deed % deeds.length]!()
}

function changeSet(set: Set<unknown>, deed: number, at: number, given: unknown): void {
  const member = [...set][at % Math.max(1, set.size)]
  const deeds = [
    () => set.add(copy(given)),
    () => set.delete(member),
    () => set.clear(),
    () => set.add(member),
  ]
  deeds[deed % deeds.length]!()
}

function changeObject(
  object: Record<string, unknown>,
  deed: number,
  at: number,
  given: unknown,
): void {
  const names = Object.keys(object)
  const known = names[at % Math.max(1, names.length)] ?? 'a'
  const deeds = [
    () => {
      object[known] = copy(given)
    },
    () => {
      object[`n${at % 5}`] = copy(given)
    },
    () => void delete object[known],
  ]
  deeds[deed % deeds.length]!()
}

function expectSame(one: unknown, other: unknown): void {
  expect(one).toEqual(other)
  expect(isDeepStrictEqual(one, other)).toBe(true)
}

test('changes of nested values equal the same changes of a plain copy', async () => {
  await fc.assert(
    fc.asyncProperty(
      value,
      fc.array(fc.tuple(fc.array(change, { maxLength: 6 }), fc.boolean()), { maxLength: 4 }),
      async (initial, transactions) => {
        const db = await aDatabaseWithBob({ data: initial })
        let committed = plain(initial)
        for (const [changes, commits] of transactions) {
          const working = { data: plain(committed) }
          const work = db.transaction((context) => {
            for (const it of changes) {
              apply(bobOf(context).data, it)
              apply(working.data, it)
            }
            expectSame(plain(bobOf(context).data), working.data)
            if (!commits) throw new Error('aborted')
          })
          if (commits) {
            await work
            committed = plain(working.data)
          } else await expect(work).rejects.toThrow('aborted')
          expectSame(await db.view((context) => plain(bobOf(context).data)), committed)
        }
        expectSame(await ofStoredBob(db, (bob) => plain(bob.data)), committed)
        await db.close()
      },
    ),
    { seed, numRuns: 200 },
  )
}, 120_000)

test('what one connection changes is not seen by another before it commits', async () => {
  await fc.assert(
    fc.asyncProperty(
      value,
      fc.array(change, { minLength: 1, maxLength: 8 }),
      async (initial, changes) => {
        const db = await aDatabaseWithBob({ data: initial })
        const [writer, reader] = [aConnection(db), aConnection(db)]
        writer.transactions.begin()
        reader.transactions.begin()
        expectSame(plain(reader.bob().data), plain(initial))
        for (const it of changes) {
          apply(writer.bob().data, it)
          expectSame(plain(reader.bob().data), plain(initial))
        }
        await writer.transactions.abort()
        expectSame(await db.view((context) => plain(bobOf(context).data)), plain(initial))

        writer.transactions.begin()
        for (const it of changes) apply(writer.bob().data, it)
        const after = plain(writer.bob().data)
        await writer.transactions.commit()
        reader.connection.cacheMinimize()
        expectSame(plain(reader.bob().data), plain(initial))
        await reader.transactions.abort()
        reader.transactions.begin()
        expectSame(plain(reader.bob().data), after)
        await reader.transactions.abort()
        expectSame(await ofStoredBob(db, (bob) => plain(bob.data)), after)
        await db.close()
      },
    ),
    { seed, numRuns: 200 },
  )
}, 120_000)
