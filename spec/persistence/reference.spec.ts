import { expect, test } from '@jest/globals'
import { DanglingReferenceError, oidOf } from '../../lib/persistence/index.js'
import { slotsOf } from '../../lib/persistence/persistent.js'
import { Reference } from '../../lib/persistence/reference.js'
import { toOid } from '../../lib/storage/index.js'
import { aDatabaseWithBob, bobOf, Employee } from '../support/persistence-builders.js'
import { errorOf } from '../support/storage-builders.js'

test('a reference is the oid and nothing else', () => {
  expect(Object.entries(new Reference(toOid(5)))).toEqual([['oid', 5]])
})

test('a connection reads its own object for it', async () => {
  const db = await aDatabaseWithBob({ boss: new Employee({ title: 'boss' }) })
  db.cacheClear()
  await db.view((context) => {
    const bob = bobOf(context)
    expect(slotsOf(bob).values[2]).toBeInstanceOf(Reference)
    expect(bob.boss).toBe(context.connection.get(oidOf(bob.boss!)!))
  })
})

test('one that leads nowhere is an error that names the oid', async () => {
  const db = await aDatabaseWithBob()
  const error = await errorOf(() =>
    db.view(({ connection }) => connection.resolve(new Reference(toOid(99)))),
  )
  expect(error).toBeInstanceOf(DanglingReferenceError)
  expect(error.message).toMatch(/0000000000000063.*restore a backup/)
})
