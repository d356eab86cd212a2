import { afterEach, describe, expect, test } from '@jest/globals'
import { CommittedStore } from '../../lib/persistence/committed-store.js'
import { type ObjectDatabase, oidOf, type Tid } from '../../lib/persistence/index.js'
import { Reference } from '../../lib/persistence/reference.js'
import { possibleReferrers, referencesInValue } from '../../lib/persistence/referrers.js'
import type { Oid } from '../../lib/storage/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { Employee, Office } from '../support/persistence-builders.js'

let db: ObjectDatabase
afterEach(() => db?.close())

async function referrersOf(target: Oid, since: Tid): Promise<string[]> {
  const store = new CommittedStore(db.storage, 1_000_000)
  const found: string[] = []
  const range = { since, upTo: db.lastTid }
  for await (const { oid, key } of possibleReferrers(new Set([target]), range, {
    storage: db.storage,
    store,
  })) {
    found.push(key === undefined ? `${oid}` : `${oid}[${String(key)}]`)
  }
  store.close()
  return [...new Set(found)].sort()
}

describe('Possible referrers', () => {
  test('are fields, and keys of trees of any size, written since', async () => {
    db = await aHistoricalDatabase()
    const bob = new Employee({ title: 'Forecaster' })
    await commit(db, (root) => {
      const large = new Office()
      for (let n = 0; n < 100; n++) large.set(`k${String(n).padStart(2, '0')}`, n)
      root.set('ada', new Employee())
      root.set('large', large)
      root.set('small', new Office())
    })
    const since = await commit(db, (root) => root.set('bob', bob))
    await commit(db, (root) => {
      const found = root.get('bob') as Employee
      ;(root.get('ada') as Employee).data = { team: [{ boss: found }] }
      ;(root.get('large') as Office).set('k50', found)
      ;(root.get('small') as Office).set('chief', [found])
    })
    expect(await referrersOf(oidOf(bob) as Oid, since)).toEqual(
      ['0', '0[bob]', '1', '2[k50]', '3', '3[chief]', '3[k50]'].sort(),
    )
  })

  test('of a value are found at any depth', () => {
    const reference = (oid: number) => new Reference(oid as Oid)
    expect(referencesInValue('text')).toEqual([])
    expect(referencesInValue(null)).toEqual([])
    expect(referencesInValue(reference(300))).toEqual([300])
    expect(referencesInValue([{ a: reference(1) }, [reference(70_000)]])).toEqual([1, 70_000])
  })
})
