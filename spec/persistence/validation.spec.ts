import { describe, expect, test } from '@jest/globals'
import { aConnection, aDatabaseWithBob, bobOf, Employee } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

// Keys of trees: btree/tree-access.spec.ts.
describe('Validation', () => {
  test('two writers of one object conflict, whichever field and value they write', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk' })
    const { transactions, bob } = aConnection(db)
    transactions.begin()
    bob().title = 'clerk'
    await db.transaction((context) => void bobOf(context).phones.push('1'))
    const error = await errorOf(() => transactions.commit())
    expect(error).toMatchObject({ code: 'STORAGE_CONFLICT', winner: 3, retryable: true })
    expect(error.message).toMatch(/spec\.Employee.*0000000000000001.*Begin again/)
  })

  test('writers of different objects, and readers, do not', async () => {
    const db = await aDatabaseWithBob()
    await db.transaction(({ rootMapping }) => void rootMapping.set('ann', new Employee()))
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    bob().title = (connection.rootMapping.get('ann') as Employee).title
    await db.transaction(({ rootMapping }) => {
      ;(rootMapping.get('ann') as Employee).title = 'ann'
    })
    expect(await codeThrownBy(() => transactions.commit())).toBe('nothing')
    expect(db.counters.conflicts).toBe(0)
  })

  test('a commit that is still on its way counts', async () => {
    const storage = new WrappedStorage()
    const db = await aDatabaseWithBob({}, { storage })
    let release = (): void => undefined
    storage.beforeWrite = () =>
      new Promise((resolve) => {
        release = resolve
      })
    const [first, second] = [aConnection(db), aConnection(db)]
    for (const { transactions, bob } of [first, second]) {
      transactions.begin()
      bob().title = 'mine'
    }
    const winning = first.transactions.commit()
    expect(await codeThrownBy(() => second.transactions.commit())).toBe('STORAGE_CONFLICT')
    expect(await db.view((context) => bobOf(context).title)).toBe('')
    release()
    await winning
    expect(await db.view((context) => bobOf(context).title)).toBe('mine')
  })

  test('a refusal leaves no trace, and the next transaction validates', async () => {
    const storage = new WrappedStorage()
    const db = await aDatabaseWithBob({}, { storage })
    const { transactions, bob } = aConnection(db)
    transactions.begin()
    bob().title = 'mine'
    await db.transaction((context) => {
      bobOf(context).title = 'theirs'
    })
    const { length } = storage.batches
    await errorOf(() => transactions.commit())
    await transactions.abort()
    expect(storage.batches.length).toBe(length)
    await db.transaction((context) => {
      bobOf(context).title += '!'
    })
    expect(await db.view((context) => bobOf(context).title)).toBe('theirs!')
  })
})
