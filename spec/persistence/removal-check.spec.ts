import { describe, expect, test } from '@jest/globals'
import { NODE_LAYOUT } from '../../lib/persistence/class-table.js'
import { CommittedStore } from '../../lib/persistence/committed-store.js'
import { Reference, WeakOid } from '../../lib/persistence/reference.js'
import { refuseDangling, refuseRemoved } from '../../lib/persistence/removal-check.js'
import { encodeState } from '../../lib/persistence/state-codec.js'
import { createMemoryStorage, formatOid, type Oid, toOid, toTid } from '../../lib/storage/index.js'
import { aDatabaseWithBob, bobOf, Employee } from '../support/persistence-builders.js'
import { aCommit, codeThrownBy } from '../support/storage-builders.js'

const NO_TREE = { ...NODE_LAYOUT, treeIndex: -1 }

/** What a transaction wants to write: object 9, leading to these. */
function wanted(...found: readonly (Reference | WeakOid)[]) {
  return [{ oid: toOid(9), bytes: Uint8Array.from(encodeState(found, NO_TREE)) }]
}

/** A store in which the objects 1 and 2 are committed. */
async function aStore(): Promise<CommittedStore> {
  const storage = createMemoryStorage()
  await storage.open()
  await storage.write([aCommit(1, [1, 2])], 'sync')
  return new CommittedStore(storage, 1e6)
}

const to = (oid: number) => new Reference(toOid(oid))

describe('The check against removals', () => {
  test('lets everything pass while nothing was removed', async () => {
    const store = await aStore()
    expect(() => refuseRemoved(wanted(to(77)), store)).not.toThrow()
  })

  test('refuses a reference to what was removed, with a conflict that names the removal', async () => {
    const store = await aStore()
    store.begin([], { tid: toTid(2), removed: [toOid(2)] })
    expect(() => refuseRemoved(wanted(to(1)), store)).not.toThrow()
    const refused = () => refuseRemoved(wanted(to(1), to(2)), store)
    expect(await codeThrownBy(refused)).toBe('STORAGE_CONFLICT')
    expect(refused).toThrow(formatOid(toOid(2)))
  })

  test('lets a weak reference pass', async () => {
    const store = await aStore()
    store.begin([], { tid: toTid(2), removed: [toOid(2)] })
    expect(() => refuseRemoved(wanted(new WeakOid(toOid(2))), store)).not.toThrow()
  })

  test('lets a reference pass to what the same transaction writes', async () => {
    const store = await aStore()
    store.begin([], { tid: toTid(2), removed: [toOid(9)] })
    expect(() => refuseRemoved(wanted(to(9)), store)).not.toThrow()
  })
})

describe('The check for dangling references', () => {
  const what = (oid: Oid): string => `the object ${oid}`

  test('refuses a reference that leads nowhere', async () => {
    const store = await aStore()
    const refused = () => refuseDangling(wanted(to(77)), store, what)
    expect(await codeThrownBy(refused)).toBe('PERSISTENCE_DANGLING_REFERENCE')
    expect(refused).toThrow('the object 9 refers to oid')
  })

  test('lets pass what leads to an object of the transaction itself', async () => {
    const store = await aStore()
    expect(() => refuseDangling(wanted(to(9)), store, what)).not.toThrow()
  })

  test('is made by each commit of a database that asks for it', async () => {
    const db = await aDatabaseWithBob({}, { checkReferences: true })
    await db.transaction((context) => {
      bobOf(context).boss = new Employee()
    })
    await db.view((context) => expect(bobOf(context).boss?.title).toBe(''))
    await db.close()
  })
})
