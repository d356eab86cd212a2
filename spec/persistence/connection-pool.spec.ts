import { describe, expect, test } from '@jest/globals'
import { ConnectionPool } from '../../lib/persistence/connection-pool.js'
import { aConnection, aDatabase } from '../support/persistence-builders.js'

async function aPool(limit: number) {
  const db = await aDatabase()
  return new ConnectionPool(() => aConnection(db).connection, limit)
}

describe('Connection pool', () => {
  test('gives the connection that was used last, with its objects', async () => {
    const pool = await aPool(2)
    const [one, other] = [pool.acquire(), pool.acquire()]
    expect([...pool.busy]).toEqual([one, other])
    pool.release(one)
    pool.release(other)
    expect(pool.acquire()).toBe(other)
    expect([...pool.busy]).toEqual([other])
  })

  test('closes those beyond its limit, and forgets those that were closed', async () => {
    const pool = await aPool(1)
    const [one, other, third] = [pool.acquire(), pool.acquire(), pool.acquire()]
    third.close()
    pool.release(third)
    pool.release(one)
    pool.release(other)
    expect([one.isClosed, other.isClosed]).toEqual([false, true])
    pool.closeIdle()
    expect(one.isClosed).toBe(true)
    expect(pool.acquire()).not.toBe(one)
  })
})
