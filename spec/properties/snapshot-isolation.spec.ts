import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BTree, ObjectDatabase, type Persistent } from '../../lib/persistence/index.js'
import { Employee } from '../support/persistence-builders.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const ACCOUNTS = 6
const TOTAL = ACCOUNTS * 100

const accountOf = (root: BTree<string, Persistent>, n: number): Employee =>
  root.get(`account${n}`) as Employee
const ledgerOf = (root: BTree<string, Persistent>): BTree<number, string> =>
  root.get('ledger') as BTree<number, string>

/** The sum never changes, and the ledger has one entry for each commit. */
interface Seen {
  readonly sum: number
  readonly entries: number
  readonly version: number
}

function look(root: BTree<string, Persistent>): Seen {
  let sum = 0
  let version = 0
  for (let n = 0; n < ACCOUNTS; n++) {
    const account = accountOf(root, n)
    sum += account.data as number
    version += account.phones.length
  }
  return { sum, entries: ledgerOf(root).size, version }
}

test('a reader sees whole commits only, and the same ones until its transaction ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        writers: fc.integer({ min: 1, max: 6 }),
        transfers: fc.integer({ min: 1, max: 12 }),
        readers: fc.integer({ min: 1, max: 4 }),
        cacheBytes: fc.constantFrom(1, 3000, 10_000_000),
        cacheObjects: fc.constantFrom(1, 10_000),
        pauses: fc.array(fc.nat(3), { minLength: 1, maxLength: 7 }),
      }),
      async ({ writers, transfers, readers, cacheBytes, cacheObjects, pauses }) => {
        const directory = await directories.create()
        const options = { cacheBytes, cacheObjects, durability: 'relaxed' } as const
        const db = await ObjectDatabase.open(directory, options)
        await db.transaction(({ rootMapping }) => {
          for (let n = 0; n < ACCOUNTS; n++)
            rootMapping.set(`account${n}`, new Employee({ data: 100 }))
          rootMapping.set('ledger', new BTree<number, string>())
        })
        let step = 0
        const pause = async (): Promise<void> => {
          for (let turn = pauses[step++ % pauses.length]!; turn > 0; turn--) await nextTurn()
        }
        let isOver = false
        let entry = 0

        const transfer = (from: number, to: number): Promise<void> =>
          db.transaction(
            async ({ rootMapping }) => {
              const [source, target] = [accountOf(rootMapping, from), accountOf(rootMapping, to)]
              source.data = (source.data as number) - 1
              await pause()
              target.data = (target.data as number) + 1
              source.phones.push('sent')
              ledgerOf(rootMapping).set(entry++, 'transfer')
            },
            { tries: 1000 },
          )
        const writer = async (n: number): Promise<void> => {
          for (let round = 0; round < transfers; round++) {
            await transfer((n + round) % ACCOUNTS, (n + round + 1 + (n % 2)) % ACCOUNTS)
          }
        }
        const reader = async (): Promise<void> => {
          let last = -1
          while (!isOver) {
            await db.view(async ({ connection, rootMapping }) => {
              const first = look(rootMapping)
              expect(first.sum).toBe(TOTAL)
              expect(first.entries).toBe(first.version)
              expect(first.entries).toBeGreaterThanOrEqual(last)
              last = first.entries
              for (let again = 0; again < 3; again++) {
                await pause()
                if (again === 1) connection.cacheMinimize()
                if (again === 2) db.cacheClear()
                expect(look(rootMapping)).toEqual(first)
              }
            })
            await nextTurn()
          }
        }
        const reading = Promise.all(Array.from({ length: readers }, reader))
        // A failure of either side ends the other.
        const writing = Promise.all(Array.from({ length: writers }, (_, n) => writer(n)))
        await Promise.race([writing, reading])
        isOver = true
        await reading
        await writing
        await db.close()

        const reopened = await ObjectDatabase.open(directory, options)
        const end = await reopened.view(({ rootMapping }) => look(rootMapping))
        expect(end).toEqual({
          sum: TOTAL,
          entries: writers * transfers,
          version: writers * transfers,
        })
        await reopened.close()
      },
    ),
    { seed, numRuns: 15 },
  )
}, 120_000)
