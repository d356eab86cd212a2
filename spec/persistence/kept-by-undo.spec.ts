import { afterEach, describe, expect, test } from '@jest/globals'
import {
  BTree,
  field,
  KEPT_BY_UNDO,
  type ObjectDatabase,
  Persistent,
  stored,
} from '../../lib/persistence/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { Employee } from '../support/persistence-builders.js'

@stored('spec.kept.Entry')
class Entry extends Persistent {
  static readonly [KEPT_BY_UNDO] = true
  @field accessor text = ''
}

@stored('spec.kept.Counted')
class Counted extends Persistent {
  static readonly [KEPT_BY_UNDO] = ['count']
  @field accessor count = 0
  @field accessor title = ''
}

let db: ObjectDatabase
afterEach(() => db.close())

describe('What is kept by undo', () => {
  test('objects of the class stay, and the keys under which they are found', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => {
      root.set('bob', new Employee({ title: 'Forecaster' }))
      root.set('log', new BTree<string, Entry>())
    })
    const tid = await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Chief'
      const entry = new Entry()
      entry.text = 'promoted'
      ;(root.get('log') as BTree<string, Entry>).set('1', entry)
    })
    const noted = await commit(db, (root) => {
      const entry = (root.get('log') as BTree<string, Entry>).get('1') as Entry
      entry.text += ', and told'
    })
    await db.undo(tid)
    expect(await db.undo(noted)).toBeUndefined()
    await db.view(({ rootMapping }) => {
      expect((rootMapping.get('bob') as Employee).title).toBe('Forecaster')
      expect((rootMapping.get('log') as BTree<string, Entry>).get('1')?.text).toBe(
        'promoted, and told',
      )
    })
  })

  test('fields that are named stay, and stand in nobody’s way', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => root.set('one', new Counted()))
    const tid = await commit(db, (root) => {
      const one = root.get('one') as Counted
      one.title = 'changed'
      one.count++
    })
    await commit(db, (root) => void (root.get('one') as Counted).count++)
    await db.undo(tid)
    await db.view(({ rootMapping }) => {
      const { title, count } = rootMapping.get('one') as Counted
      expect([title, count]).toEqual(['', 2])
    })
  })
})
