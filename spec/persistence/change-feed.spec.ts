import { afterEach, describe, expect, test } from '@jest/globals'
import type { TreehookError } from '../../lib/foundation/index.js'
import type {
  ChangeFeedOptions,
  CommittedChange,
  ObjectDatabase,
  Tid,
} from '../../lib/persistence/index.js'
import { formatTid } from '../../lib/storage/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { aDatabase, Employee, Office } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

let db: ObjectDatabase
afterEach(() => db.close())

/** The next so many changes. */
async function take(count: number, options: ChangeFeedOptions = {}): Promise<CommittedChange[]> {
  const changes: CommittedChange[] = []
  for await (const change of db.changes(options)) {
    changes.push(change)
    if (changes.length === count) break
  }
  return changes
}

const tidsOf = (changes: readonly CommittedChange[]) => changes.map(({ tid }) => tid)
const hire = (name: string) => commit(db, (root) => root.set(name, new Employee()), `hires ${name}`)

describe('Change feed', () => {
  test('gives what has happened, then what happens, each once and in order', async () => {
    db = await aHistoricalDatabase()
    const first = await hire('bob')
    await hire('ada')
    const taking = take(300, { after: first })
    const hired = Array.from({ length: 299 }, (_, n) => hire(`e${n}`))
    await Promise.all(hired)
    expect(tidsOf(await taking)).toEqual(Array.from({ length: 300 }, (_, n) => first + 1 + n))
  })

  test('begins with what happens next when nothing else is asked for', async () => {
    db = await aHistoricalDatabase()
    await hire('bob')
    const taking = take(1)
    const tid = await hire('ada')
    expect(tidsOf(await taking)).toEqual([tid])
  })

  test('says who, why, when, and which objects', async () => {
    db = await aHistoricalDatabase()
    const before = db.lastTid
    await hire('bob')
    await db.transaction(({ rootMapping, transaction }) => {
      transaction.user = '/ anna'
      const office = new Office()
      for (let n = 0; n < 100; n++) office.set(`k${n}`, n)
      rootMapping.set('office', office)
    })
    const [hired, opened] = (await take(2, { after: before })) as [CommittedChange, CommittedChange]
    expect(hired).toMatchObject({ description: 'hires bob', user: '', extension: {}, removed: [] })
    expect([...hired.written]).toEqual([
      [0, 'treehook.BTree'],
      [1, 'spec.Employee'],
    ])
    expect(opened.user).toBe('/ anna')
    expect([...opened.written]).toEqual([
      [0, 'treehook.BTree'],
      [2, 'spec.Office'],
    ])
  })

  test('tells the changed fields of each class', async () => {
    db = await aHistoricalDatabase()
    const tid = await commit(db, (root) => {
      root.set('bob', new Employee())
      root.set('office', new Office())
    })
    await commit(db, (root) => {
      const bob = root.get('bob') as Employee
      bob.title = 'Chief'
      bob.phones.push('1')
      ;(root.get('office') as Office).set('chief', bob)
    })
    const [, changed] = await take(2, { after: (tid - 1) as Tid })
    expect(changed?.changedFields()).toEqual(
      new Map([
        ['spec.Employee', new Set(['title', 'phones'])],
        ['spec.Office', new Set(['__tree__'])],
      ]),
    )
  })

  test('tells what was removed', async () => {
    db = await aHistoricalDatabase()
    const tid = await hire('bob')
    await db.undo(tid)
    const [removal] = await take(1, { after: tid })
    expect(removal?.removed).toEqual([1])
    expect(removal?.changedFields()).toEqual(new Map([['treehook.BTree', new Set(['__tree__'])]]))
  })

  test('ends when the database closes', async () => {
    db = await aHistoricalDatabase()
    const taking = take(5)
    await hire('bob')
    await db.close()
    expect((await taking).length).toBeLessThanOrEqual(1)
  })

  test('ends with the reason of its signal', async () => {
    db = await aHistoricalDatabase()
    const abort = new AbortController()
    const taking = take(1, { signal: abort.signal })
    abort.abort(new Error('enough'))
    expect((await errorOf(() => taking)).message).toBe('enough')
    expect((await errorOf(() => take(1, { signal: abort.signal }))).message).toBe('enough')
  })

  test('a consumer that falls behind what is kept learns it, with the oldest that there is', async () => {
    db = await aHistoricalDatabase({ history: { maxTransactions: 10 } })
    const after = await hire('bob')
    for (let n = 0; n < 30; n++) {
      await commit(db, (root) => root.set('large', new Employee({ title: 'x'.repeat(1_000_000) })))
    }
    for (let n = 0; n < 4; n++) await db.storage.checkpoint()
    const error = await errorOf(() => take(1, { after }))
    expect(error).toMatchObject({
      code: 'STORAGE_HISTORY_UNAVAILABLE',
      details: { tid: formatTid((after + 1) as Tid) },
    })
    const { oldest } = (error as TreehookError).details
    expect(oldest).toMatch(/^[0-9a-f]{16}$/)
    const from = (Number.parseInt(oldest as string, 16) - 1) as Tid
    expect((await take(1, { after: from }))[0]?.tid).toBe(from + 1)
  })

  test('follows without history too, but cannot tell fields', async () => {
    db = await aDatabase()
    const taking = take(1)
    const tid = await hire('bob')
    const [change] = await taking
    expect(change?.tid).toBe(tid)
    expect(await codeThrownBy(() => change?.changedFields())).toBe('STORAGE_HISTORY_UNAVAILABLE')
  })

  test('a feed cannot begin in the future', async () => {
    db = await aHistoricalDatabase()
    expect(await codeThrownBy(() => db.changes({ after: 9 as Tid }))).toBe(
      'PERSISTENCE_FUTURE_INSTANT',
    )
    expect(await codeThrownBy(() => db.changes({ after: -1 as Tid }))).toBe(
      'PERSISTENCE_INVALID_INSTANT',
    )
  })
})
