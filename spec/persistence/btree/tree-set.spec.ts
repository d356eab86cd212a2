import { describe, expect, test } from '@jest/globals'
import { TreeSet } from '../../../lib/persistence/index.js'
import { aConnection, aDatabase } from '../../support/persistence-builders.js'
import { codeThrownBy } from '../../support/storage-builders.js'

describe('TreeSet', () => {
  test('keeps keys in their order, each once', () => {
    const set = new TreeSet<number | string>()
    expect(set.add('b').add(2).add('a').add(2)).toBe(set)
    expect([[...set], set.size]).toEqual([[2, 'a', 'b'], 3])
    expect([set.has('a'), set.has('x'), set.has(null as never)]).toEqual([true, false, false])
    expect([set.delete('a'), set.delete('a'), set.size]).toEqual([true, false, 2])
    expect([[...set.keys({ min: 'a' })], [...set.values({ reverse: true })]]).toEqual([
      ['b'],
      ['b', 2],
    ])
    set.clear()
    expect([...set]).toEqual([])
  })

  test('is made of keys', () => {
    expect([...new TreeSet<string>(['b', 'a', 'b'])]).toEqual(['a', 'b'])
  })

  test('gives its lowest and highest keys, or those next to a bound', () => {
    const set = TreeSet.from([10, 30, 20])
    expect([set.min(), set.min(11), set.min(31), set.max(), set.max(29), set.max(9)]).toEqual([
      10,
      20,
      undefined,
      30,
      20,
      undefined,
    ])
  })

  test('takes keys from anything that has some', () => {
    const set = TreeSet.from(new Set(['a', 'b']))
    expect([...set.update(TreeSet.from(['c']))]).toEqual(['a', 'b', 'c'])
  })

  test('what is no key is refused', async () => {
    expect(await codeThrownBy(() => new TreeSet().add(Number.NaN))).toBe('PERSISTENCE_INVALID_KEY')
  })

  test('survives the disk, and is as it should be', async () => {
    const db = await aDatabase()
    const keys = Array.from({ length: 5000 }, (_, n) => `key ${String(n).padStart(5, '0')}`)
    await db.transaction(({ rootMapping }) => void rootMapping.set('set', TreeSet.from(keys)))
    db.cacheClear()
    await db.view(({ rootMapping }) => {
      const set = rootMapping.get('set') as TreeSet<string>
      expect([...set]).toEqual(keys)
      expect(set.check()).toEqual([])
    })
  })

  test('two that add different keys do not conflict; adding what is there writes nothing', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => void rootMapping.set('set', TreeSet.from(['a'])))
    const { connection, transactions } = aConnection(db)
    const setOf = ({ rootMapping }: typeof connection): TreeSet<string> =>
      rootMapping.get('set') as TreeSet<string>
    transactions.begin()
    setOf(connection).add('mine').add('a')
    await db.transaction((context) => void setOf(context.connection).add('theirs').add('a'))
    await transactions.commit()
    expect(await db.view((context) => [...setOf(context.connection)])).toEqual([
      'a',
      'mine',
      'theirs',
    ])
  })
})
