import { describe, expect, test } from '@jest/globals'
import { pagesOf } from '../../../lib/persistence/btree/tree-pages.js'
import { BTree, TreeSet } from '../../../lib/persistence/index.js'
import { aDatabase } from '../../support/persistence-builders.js'
import { codeThrownBy } from '../../support/storage-builders.js'

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const page of pages) found.push(page)
  return found
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe('Pages of a tree', () => {
  test('have as many entries as asked for, the last one what is left', async () => {
    const tree = BTree.from(numbers(5).map((n) => [n, `v${n}`]))
    expect(await all(tree.pages({ size: 2, min: 1 }))).toEqual([
      [
        [1, 'v1'],
        [2, 'v2'],
      ],
      [
        [3, 'v3'],
        [4, 'v4'],
      ],
    ])
    expect(await all(TreeSet.from(numbers(5)).pages({ size: 3, reverse: true }))).toEqual([
      [4, 3, 2],
      [1, 0],
    ])
    expect(await all(new BTree().pages())).toEqual([])
  })

  test('others get their turn between two', async () => {
    const deeds: string[] = []
    const walk = (async () => {
      for await (const [first] of TreeSet.from(numbers(3)).pages({ size: 1 })) {
        deeds.push(`page ${first}`)
      }
    })()
    setImmediate(() => deeds.push('other'))
    await walk
    expect(deeds).toEqual(['page 0', 'other', 'page 1', 'page 2'])
  })

  test('end when they are cancelled', async () => {
    const stop = new AbortController()
    const seen: number[] = []
    const walk = async (): Promise<void> => {
      for await (const page of TreeSet.from(numbers(9)).pages({ size: 2, signal: stop.signal })) {
        seen.push(...page)
        if (seen.length === 4) stop.abort(new Error('enough'))
      }
    }
    await expect(walk()).rejects.toThrow('enough')
    expect(seen).toEqual([0, 1, 2, 3])
  })

  test('end when they are left, thrown into, or disposed of', async () => {
    const set = TreeSet.from(numbers(9))
    const seen: number[] = []
    const left = set.pages({ size: 2 })
    for await (const page of left) {
      seen.push(...page)
      if (seen.length === 4) break
    }
    expect([seen, await left.next()]).toEqual([[0, 1, 2, 3], { value: undefined, done: true }])
    const thrown = set.pages({ size: 2 })
    await expect(thrown.throw(new Error('enough'))).rejects.toThrow('enough')
    expect((await thrown.next()).done).toBe(true)
    const disposed = set.pages({ size: 2 })
    {
      await using pages = disposed
      expect((await pages.next()).value).toEqual([0, 1])
    }
    expect((await disposed.next()).done).toBe(true)
  })

  test('come in order to who asks for several at once', async () => {
    const pages = TreeSet.from(numbers(5)).pages({ size: 2 })
    const asked = await Promise.all([pages.next(), pages.next(), pages.next(), pages.next()])
    expect(asked.map(({ value }) => value)).toEqual([[0, 1], [2, 3], [4], undefined])
  })

  test('keep their place while the tree changes', async () => {
    const set = TreeSet.from(numbers(100))
    const seen: number[] = []
    for await (const page of set.pages({ size: 10 })) {
      seen.push(...page)
      for (const key of page) set.delete(key)
      set.add(1000 - seen.length)
    }
    expect(seen.slice(0, 100)).toEqual(numbers(100))
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  test('the cache stays within its budget', async () => {
    const cacheBytes = 100_000
    const db = await aDatabase({ cacheBytes })
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('tree', BTree.from(numbers(20_000).map((n) => [n, `value ${n}`])))
    })
    const count = await db.view(async ({ rootMapping }) => {
      let entries = 0
      for await (const page of (rootMapping.get('tree') as BTree).pages()) {
        entries += page.length
        expect(db.cache.bytes).toBeLessThanOrEqual(cacheBytes * 1.1)
      }
      return entries
    })
    expect(count).toBe(20_000)
  })

  test.each([0, -1, 1.5, Number.NaN])('of size %d are refused', async (size) => {
    expect(await codeThrownBy(() => pagesOf([1].values(), { size }))).toBe(
      'PERSISTENCE_INVALID_RANGE',
    )
  })
})
