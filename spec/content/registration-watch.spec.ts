import { afterEach, describe, expect, test } from '@jest/globals'
import { raisePlaceStamp, traverse } from '../../lib/content/index.js'
import { registrationChanged, watchOf } from '../../lib/content/registration-watch.js'
import { connectionOf } from '../../lib/persistence/index.js'
import { anOffice, closeDatabases, Employee } from '../support/content-builders.js'

afterEach(closeDatabases)

const BOB = '/NOAA/NWS/OUN/employees/Bob'

describe('The watch of a connection', () => {
  test('is one, and stands still while other objects are written', async () => {
    const db = await anOffice()
    await db.transaction(({ root, connection }) => {
      const watch = watchOf(connection)
      const { stamp } = watch
      const bob = traverse(root, BOB, Employee)
      bob.title = 'Forecaster'
      expect(connectionOf(bob)).toBe(connection)
      expect(watchOf(connection)).toBe(watch)
      expect(watch.stamp).toBe(stamp)
    })
  })

  test('moves with a registration, a place, a rollback, and the next transaction', async () => {
    const db = await anOffice()
    const seen = new Set<object>()
    await db.objects.transaction(({ connection, transaction }) => {
      const watch = watchOf(connection)
      seen.add(watch.stamp)
      registrationChanged()
      seen.add(watch.stamp)
      connection.add(new Employee())
      const savepoint = transaction.savepoint()
      raisePlaceStamp()
      seen.add(watch.stamp)
      savepoint.rollback()
      seen.add(watch.stamp)
    })
    await db.objects.transaction(({ connection }) => void seen.add(watchOf(connection).stamp))
    expect(seen.size).toBe(5)
  })
})
