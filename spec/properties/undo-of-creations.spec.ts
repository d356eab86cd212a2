import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { codeOf } from '../../lib/foundation/index.js'
import {
  BTree,
  type ObjectDatabase,
  oidOf,
  type Persistent,
  type Tid,
  type TransactionContext,
} from '../../lib/persistence/index.js'
import { aHistoricalDatabase } from '../support/history-builders.js'
import { Employee } from '../support/persistence-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

type Deed =
  | { readonly do: 'hire' | 'drop' | 'retitle'; readonly name: number }
  | { readonly do: 'promote' | 'place'; readonly name: number; readonly other: number }

const name = fc.integer({ min: 0, max: 8 })
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ do: fc.constantFrom('hire' as const, 'drop' as const, 'retitle' as const), name }),
  fc.record({ do: fc.constantFrom('promote' as const, 'place' as const), name, other: name }),
)

/** Employees by name; each has a boss, and a team in a tree of its own. */
type Staff = BTree<number, Employee>

let written = 0

function act(staff: Staff, it: Deed): void {
  if (it.do === 'drop') {
    staff.delete(it.name)
    return
  }
  if (it.do === 'hire') {
    const hired = new Employee({ title: `${++written}`, data: new BTree() })
    staff.set(it.name, hired)
    return
  }
  const one = staff.get(it.name)
  if (one === undefined) return
  if (!('other' in it)) one.title = `${++written}`
  else if (it.do === 'promote') one.boss = staff.get(it.other)
  else (one.data as BTree<number, Employee>).set(it.other, staff.get(it.other) ?? one)
}

/** Everything that is reached, with what it refers to, by oid. Throws where a reference dangles. */
function readAll({ rootMapping }: Pick<TransactionContext, 'rootMapping'>): string {
  const seen = new Map<number, unknown>()
  const look = (object: Persistent | undefined): number | undefined => {
    if (object === undefined) return undefined
    const oid = oidOf(object) as number
    if (seen.has(oid)) return oid
    seen.set(oid, undefined)
    if (object instanceof BTree) {
      seen.set(
        oid,
        [...object.entries()].map(([key, value]) => [key, look(value as Persistent)]),
      )
    } else {
      const { title, boss, data } = object as Employee
      seen.set(oid, [title, look(boss), look(data as Persistent)])
    }
    return oid
  }
  look(rootMapping)
  return JSON.stringify([...seen].sort(([one], [other]) => one - other))
}

const isThere = (db: ObjectDatabase): Promise<string> => {
  db.cacheClear()
  return db.view(readAll)
}

test('no undo leaves a dangling reference, and undoing it gives back what was there', async () => {
  let undone = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(deed, { minLength: 1, maxLength: 4 }), { minLength: 3, maxLength: 14 }),
      fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 }),
      async (all, undos) => {
        const db = await aHistoricalDatabase()
        await db.transaction(({ rootMapping }) => void rootMapping.set('staff', new BTree()))
        const first = db.lastTid
        for (const deeds of all) {
          await db.transaction(({ rootMapping }) => {
            for (const it of deeds) act(rootMapping.get('staff') as Staff, it)
          })
        }
        for (const picks of undos) {
          const count = db.lastTid - first
          if (count === 0) break
          const before = await isThere(db)
          const tids = picks.map((pick) => (first + 1 + (pick % count)) as Tid)
          const tid = await db.undo(tids).catch((error: unknown) => {
            expect(codeOf(error)).toBe('PERSISTENCE_UNDO_CONFLICT')
            return undefined
          })
          const after = await isThere(db)
          if (tid === undefined) {
            expect(after).toBe(before)
            continue
          }
          undone++
          expect(await db.at({ before: tid }, readAll)).toBe(before)
          await db.undo(tid)
          expect(await isThere(db)).toBe(before)
          await db.undo(db.lastTid)
          expect(await isThere(db)).toBe(after)
        }
        await db.close()
      },
    ),
    { numRuns: 60, seed },
  )
  expect(undone).toBeGreaterThan(10)
})
