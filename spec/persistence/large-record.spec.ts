import { describe, expect, test } from '@jest/globals'
import { BTree, LargeRecordError } from '../../lib/persistence/index.js'
import { aDatabase, Employee } from '../support/persistence-builders.js'

describe('A large record', () => {
  test('is stored, and reported with object, size and way out', async () => {
    const told: [unknown, string][] = []
    const db = await aDatabase({
      largeRecordBytes: 1000,
      onError: (error, where) => void told.push([error, where]),
    })
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('small', new Employee({ title: 'x'.repeat(900) }))
      rootMapping.set('large', new Employee({ title: 'x'.repeat(1000) }))
    })
    const [[error, where]] = told as [[LargeRecordError, string]]
    expect([told.length, where, error.code]).toEqual([1, 'commit', 'PERSISTENCE_LARGE_RECORD'])
    expect(error).toBeInstanceOf(LargeRecordError)
    expect(error.message).toMatch(/spec\.Employee \(oid [0-9a-f]{16}\) has 10\d\d bytes/)
    expect(error.details).toMatchObject({ bytes: expect.any(Number) })
    const read = await db.view(({ rootMapping }) => (rootMapping.get('large') as Employee).title)
    expect(read.length).toBe(1000)
    await db.close()
  })

  test('of a tree’s node is named by the tree', async () => {
    const told: Error[] = []
    const db = await aDatabase({
      largeRecordBytes: 20_000,
      onError: (error) => void told.push(error as Error),
    })
    await db.transaction(({ rootMapping }) => {
      const tree = new BTree<number, string>()
      for (let n = 0; n < 100; n++) tree.set(n, 'x'.repeat(1000))
      rootMapping.set('tree', tree)
    })
    expect(told.length).toBeGreaterThan(0)
    expect(told[0]?.message).toContain('a tree node of treehook.BTree (oid')
    await db.close()
  })
})
