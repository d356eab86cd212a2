import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  copyOf,
  copyTo,
  exportObject,
  IObjectModifiedEvent,
  importObject,
  nameOf,
  pathOf,
  Site,
  traverse,
} from '../../lib/index.js'
import {
  aDirectory,
  aSubscribedOffice,
  attemptsOf,
  endAll,
  MANAGER,
  managerIn,
  OUN,
  promote,
  SUBSCRIPTION,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

const COPY_OF_MANAGER = MANAGER.replace(OUN, '/copy')

async function aCopiedOffice() {
  const office = await aSubscribedOffice({ subscription: { when: IObjectModifiedEvent } })
  await promote(office.db)
  await office.db.transaction(({ root }) => void copyTo(traverse(root, OUN, Site), root, 'copy'))
  return office
}

describe('A copied site', () => {
  test('has the subscriptions, active as they were, and none of their attempts', async () => {
    const { db } = await aCopiedOffice()
    await db.view(({ root }) => {
      const original = subscriptionIn(root)
      const [copy] = managerIn(root, COPY_OF_MANAGER).values()
      expect([original.size > 0, copy?.size, copy?.resolvedCount]).toEqual([true, 0, 0])
      expect([copy?.active, copy?.to, copy?.for, copy?.when]).toEqual([
        true,
        original.to,
        original.for,
        original.when,
      ])
      expect(pathOf(copy as object)).toBe(`${COPY_OF_MANAGER}/${nameOf(original)}`)
    })
  })

  test('has its own deliveries, and the original keeps its own', async () => {
    const { db } = await aCopiedOffice()
    const before = await db.view(({ root }) => subscriptionIn(root).size)
    await promote(db)
    expect(await db.view(({ root }) => subscriptionIn(root).size)).toBe(before + 1)
    await db.view(({ root }) => {
      const [copy] = managerIn(root, COPY_OF_MANAGER).values()
      expect(copy?.size).toBe(0)
    })
    expect((await attemptsOf(db)).length).toBe(before + 1)
  })
})

describe('A subscription copied alone', () => {
  test('is inactive until a manager activates it', async () => {
    const { db } = await aCopiedOffice()
    await db.transaction(({ root }) => {
      const manager = managerIn(root)
      const copy = manager.set('copied', copyOf(subscriptionIn(root)))
      expect([copy.active, copy.size, subscriptionIn(root).active]).toEqual([false, 0, true])
      manager.activateSubscription(copy)
      expect([...manager.index.values()].includes(copy)).toBe(true)
    })
  })
})

describe('An exported site', () => {
  test('has the subscriptions where it is imported, and none of their attempts', async () => {
    const { db } = await aSubscribedOffice({ subscription: { when: IObjectModifiedEvent } })
    await promote(db)
    await promote(db, 'Chief')
    const file = join(await aDirectory(), 'oun.jsonl')
    const summary = await db.view(({ root }) => exportObject(traverse(root, OUN, Site), file))
    expect(summary.outside).toHaveLength(1) // the site above
    const { root: oid } = await importObject(db, file)
    await db.transaction(({ root, connection }) => {
      root.set('imported', connection.get(oid) as Site)
    })
    await db.view(({ root }) => {
      const [imported] = managerIn(root, MANAGER.replace(OUN, '/imported')).values()
      expect([imported?.active, imported?.size, imported?.resolvedCount]).toEqual([true, 0, 0])
      expect(subscriptionIn(root).size).toBe(2)
    })
    await promote(db, 'Senior', '/imported/employees/Bob')
    expect(await attemptsOf(db, SUBSCRIPTION.replace(OUN, '/imported'))).toHaveLength(1)
  })
})
