import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ObjectTable } from '../../lib/persistence/object-table.js'
import { type Persistent, slotsOf } from '../../lib/persistence/persistent.js'
import { toOid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

function anObject(oid: number): Persistent {
  const object = new Employee()
  slotsOf(object).oid = toOid(oid)
  return object
}

const oidOf = (object: Persistent): number => slotsOf(object).oid

describe('Object table', () => {
  test('equals a Map, whatever is added, deleted and swept', () => {
    const oid = fc.oneof(
      fc.nat(300),
      fc.integer({ min: 2 ** 32 - 40, max: 2 ** 32 + 40 }),
      fc.constant(2 ** 53 - 1),
    )
    const deed = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('add' as const), oid }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), oid }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constantFrom('sweep' as const, 'retain' as const), oid }),
      },
    )
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 400 }), (deeds) => {
        const table = new ObjectTable()
        const model = new Map<number, Persistent>()
        for (const it of deeds) {
          const isThird = (key: number): boolean => key % 3 === it.oid % 3
          if (it.do === 'retain') {
            table.retain((object) => !isThird(oidOf(object)))
            for (const key of [...model.keys()]) if (isThird(key)) model.delete(key)
          } else if (it.do === 'sweep') {
            table.sweep((object) => isThird(oidOf(object)) && model.delete(oidOf(object)))
          } else if (it.do === 'delete') {
            expect(table.delete(toOid(it.oid))).toBe(model.get(it.oid))
            model.delete(it.oid)
          } else if (!model.has(it.oid)) {
            const object = anObject(it.oid)
            table.add(object)
            model.set(it.oid, object)
          }
          expect(table.size).toBe(model.size)
        }
        for (const it of deeds) expect(table.get(toOid(it.oid))).toBe(model.get(it.oid))
      }),
      { seed },
    )
  })

  test('a sweep sees each object once, ends when told to, and goes on from there', () => {
    const table = new ObjectTable()
    for (let oid = 0; oid < 100; oid++) table.add(anObject(oid))
    const seen: number[] = []
    const look = (count: number): void => {
      let left = count
      table.sweep((object) => {
        if (left-- === 0) return undefined
        seen.push(oidOf(object))
        return false
      })
    }
    look(40)
    look(60)
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, oid) => oid))
  })
})
