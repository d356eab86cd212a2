import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { DatabaseGroup, type ObjectDatabase } from '../../lib/persistence/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { ExplicitTransactionManager } from '../../lib/transaction/index.js'
import { aDatabase, Employee } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

let main: ObjectDatabase
let archive: ObjectDatabase
let databases: DatabaseGroup

beforeEach(async () => {
  main = await aDatabase()
  archive = await aDatabase()
  databases = new DatabaseGroup()
  databases.add('main', main)
  databases.add('archive', archive)
})

afterEach(async () => {
  await main.close()
  await archive.close()
})

describe('The connection to another database', () => {
  test('is the same one each time, and knows the way back', async () => {
    await main.transaction(({ connection }) => {
      const other = connection.getConnection('archive')
      expect(other.database).toBe(archive)
      expect(connection.getConnection('archive')).toBe(other)
      expect(other.getConnection('main')).toBe(connection)
      expect(connection.getConnection('main')).toBe(connection)
      expect(other.transaction).toBe(connection.transaction)
    })
  })

  test('is refused for names that the group has not, outside a group, and in the past', async () => {
    const alone = await aDatabase({ storage: createMemoryStorage({ history: 'all' }) })
    const refused = [
      () => main.view(({ connection }) => connection.getConnection('other')),
      () => alone.view(({ connection }) => connection.getConnection('main')),
    ]
    for (const ask of refused) {
      expect(await codeThrownBy(ask)).toBe('PERSISTENCE_UNKNOWN_DATABASE')
    }
    databases.add('alone', alone)
    const past = () => alone.at(alone.lastTid, ({ connection }) => connection.getConnection('main'))
    expect(await codeThrownBy(past)).toBe('PERSISTENCE_UNKNOWN_DATABASE')
    await alone.close()
  })

  test('is closed with the first', async () => {
    const transactionManager = new ExplicitTransactionManager()
    const connection = main.connect({ transactionManager })
    const other = connection.getConnection('archive')
    connection.close()
    expect([connection.isClosed, other.isClosed]).toEqual([true, true])
  })

  test('may be made by hand with the same manager no second time', async () => {
    const transactionManager = new ExplicitTransactionManager()
    const connection = main.connect({ transactionManager })
    connection.getConnection('archive')
    const again = () => archive.connect({ transactionManager })
    expect(await codeThrownBy(again)).toBe('PERSISTENCE_ALREADY_CONNECTED')
  })

  test('only reads in a view', async () => {
    const write = () =>
      main.view(({ connection }) => {
        connection.getConnection('archive').rootMapping.set('anna', new Employee())
      })
    expect(await codeThrownBy(write)).toBe('PERSISTENCE_READ_ONLY_TRANSACTION')
  })

  test('is as isolated as the first', async () => {
    const seen: unknown[] = []
    await main.transaction(
      ({ connection }) => void seen.push(connection.getConnection('archive').isolation),
      { isolation: 'serializable' },
    )
    await main.transaction(({ connection }) => {
      seen.push(connection.getConnection('archive').isolation)
    })
    expect(seen).toEqual(['serializable', 'snapshot'])
  })
})
