import { describe, expect, test } from '@jest/globals'
import { BTree, changedFieldsOf, field, Persistent, stored } from '../../lib/persistence/index.js'
import { aDatabase } from '../support/persistence-builders.js'

@stored('spec.Changeable')
class Changeable extends Persistent {
  @field accessor title = ''
  @field accessor phones: string[] = ['1']
  @field accessor at = new Date(0)
  @field accessor other: Persistent | undefined = undefined
  volatile = 0
}

async function changing(change: (object: Changeable) => void): Promise<readonly string[]> {
  const db = await aDatabase()
  await db.transaction(({ rootMapping }) => {
    const object = new Changeable()
    object.other = new BTree()
    rootMapping.set('object', object)
  })
  const changed = await db.transaction(({ rootMapping }) => {
    const object = rootMapping.get('object') as Changeable
    change(object)
    return changedFieldsOf(object)
  })
  await db.close()
  return changed
}

describe('Changed fields', () => {
  test.each<[string, (object: Changeable) => void, string[]]>([
    ['nothing', () => {}, []],
    ['what was read', (one) => void [one.title, one.phones[0], one.at, one.other], []],
    ['an assigned field', (one) => void Object.assign(one, { title: 'x' }), ['title']],
    ['a field assigned what it had', (one) => void Object.assign(one, { title: '' }), []],
    [
      'a reference assigned what it had',
      (one) => void Object.assign(one, { other: one.other }),
      [],
    ],
    [
      'a reference to another object',
      (one) => void Object.assign(one, { other: new BTree() }),
      ['other'],
    ],
    [
      'a reference that is taken away',
      (one) => void Object.assign(one, { other: undefined }),
      ['other'],
    ],
    ['a nested change', (one) => void one.phones.push('2'), ['phones']],
    ['a Date changed in place', (one) => void one.at.setTime(1), ['at']],
    ['a volatile property', (one) => void one.volatile++, []],
    [
      'several, in the order of the class',
      (one) => {
        one.phones = []
        one.title = 'x'
      },
      ['title', 'phones'],
    ],
  ])('%s', async (_, change, expected) => {
    expect(await changing(change)).toEqual(expected)
  })

  test('of an object that was never stored are none', () => {
    const object = new Changeable()
    object.title = 'x'
    expect(changedFieldsOf(object)).toEqual([])
  })

  test('are none again when a savepoint took them back, and after the commit', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => void rootMapping.set('object', new Changeable()))
    const object = await db.transaction(({ rootMapping, transaction }) => {
      const one = rootMapping.get('object') as Changeable
      const savepoint = transaction.savepoint()
      one.title = 'x'
      one.phones.push('2')
      savepoint.rollback()
      expect(changedFieldsOf(one)).toEqual([])
      one.title = 'y'
      return one
    })
    expect(changedFieldsOf(object)).toEqual([])
    await db.close()
  })
})
