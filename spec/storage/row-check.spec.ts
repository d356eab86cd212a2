import { describe, expect, test } from '@jest/globals'
import {
  createMemoryDatabase,
  createMemoryStorage,
  type History,
  type RowProblem,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import { classKeys, commitKeys, preservedKeys } from '../../lib/storage/key-space.js'
import { aCommit } from '../support/storage-builders.js'

/** A closed storage after ten commits, of which each writes the objects 1 and its own number. */
async function aPlace(history?: History) {
  const database = createMemoryDatabase()
  const storage = createMemoryStorage({ database, ...(history && { history }) })
  await storage.open()
  for (let tid = 1; tid <= 10; tid++) await storage.write([aCommit(tid, [1, tid + 1])], 'sync')
  await storage.close()
  return { database, history }
}

/** What the check of its rows finds, after a change behind the storage's back. */
async function check(
  { database, history }: Awaited<ReturnType<typeof aPlace>>,
  change: () => Promise<void> = async () => undefined,
) {
  const storage = createMemoryStorage({ database, ...(history && { history }) })
  await storage.open()
  await storage.checkpoint()
  await change()
  // Later commits make the storage look at the rows as they are now.
  await storage.write([aCommit(storage.lastTid + 1, [90])], 'sync')
  await storage.checkpoint()
  const problems: RowProblem[] = []
  const { rows } = await storage.checkRows({ onProblem: (problem) => void problems.push(problem) })
  await storage.close()
  return { problems, rows }
}

describe('The check of rows', () => {
  test.each([[undefined], ['all' as const]])(
    'finds nothing in a sound storage, history: %s',
    async (history) => {
      const { problems, rows } = await check(await aPlace(history))
      expect(problems).toEqual([])
      expect(rows).toBeGreaterThan(3)
    },
  )

  test('reports a row that cannot be read', async () => {
    const place = await aPlace()
    const { problems } = await check(place, async () => {
      await place.database.put(classKeys.encode(1), Buffer.from('damaged'))
    })
    expect(problems.map(({ kind }) => kind)).toEqual(['damagedRow'])
    expect(problems[0]?.message).toMatch(/^The row of class 1 cannot be read: its checksum/)
  })

  test('reports rows that nobody writes', async () => {
    const place = await aPlace()
    const { problems } = await check(place, async () => {
      await place.database.put(Buffer.from([0x03, 1]), Buffer.from('?'))
      await place.database.put(Buffer.from([0x09]), Buffer.from('?'))
    })
    expect(problems.map(({ kind }) => kind)).toEqual(['unknownRow', 'unknownRow'])
  })

  test('reports a transaction whose row is gone', async () => {
    const place = await aPlace('all')
    const { problems } = await check(place, async () => {
      await place.database.del(commitKeys.encode(toTid(5)))
    })
    const gone = problems.filter(({ kind }) => kind === 'missingTransaction')
    expect(gone).toEqual([
      {
        kind: 'missingTransaction',
        tid: 5,
        message: 'The row of transaction 0000000000000005 is missing',
      },
    ])
  })

  test('reports a preserved revision that is not what its key says', async () => {
    const place = await aPlace('all')
    const { problems } = await check(place, async () => {
      await place.database.put(preservedKeys.encode(toOid(1), toTid(2)), Buffer.from('damaged'))
    })
    expect(problems).toContainEqual(expect.objectContaining({ kind: 'damagedRow', oid: 1, tid: 2 }))
  })

  test('ends by its signal', async () => {
    const { database } = await aPlace()
    const storage = createMemoryStorage({ database })
    await storage.open()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(storage.checkRows({ onProblem: () => undefined, signal })).rejects.toThrow(
      'enough',
    )
    await storage.close()
  })
})
