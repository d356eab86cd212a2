import { afterEach, describe, expect, test } from '@jest/globals'
import { type Folder, systemClock, traverse } from '../../lib/index.js'
import {
  aSubscribedOffice,
  attemptsOf,
  EMPLOYEES,
  Employee,
  endAll,
  outboxSize,
  promoteIn,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

describe('Transactions that add attempts to one subscription at the same time', () => {
  test('never conflict, from the first attempt on', async () => {
    const { db } = await aSubscribedOffice({ webhooks: { deliver: false } })
    await db.transaction(({ root }) => {
      for (let number = 0; number < 20; number++) {
        ;(traverse(root, EMPLOYEES) as Folder).set(`employee ${number}`, new Employee())
      }
    })
    await db.transaction(({ root }) => {
      for (const name of [...subscriptionIn(root).keys()]) subscriptionIn(root).delete(name)
    })
    const { conflicts } = db.counters
    let begun = 0
    let letGo = (): void => {}
    const all = new Promise<void>((resolve) => {
      letGo = resolve
    })
    await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        db.transaction(
          async ({ root }) => {
            promoteIn(root, `title ${number}`, `${EMPLOYEES}/employee ${number}`)
            // All have read before any commits.
            if (++begun === 20) letGo()
            await all
          },
          { tries: 1 },
        ),
      ),
    )
    expect(db.counters.conflicts).toBe(conflicts)
    expect(await attemptsOf(db)).toHaveLength(20)
    expect(await outboxSize(db)).toBe(40)
  })

  test('never fail for the results that are written meanwhile, and lose none', async () => {
    const { db, transport } = await aSubscribedOffice({ clock: systemClock })
    await db.transaction(({ root }) => {
      for (let number = 0; number < 10; number++) {
        ;(traverse(root, EMPLOYEES) as Folder).set(`employee ${number}`, new Employee())
      }
      subscriptionIn(root).attemptLimit = 5
    })
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 10 }, (_, number) =>
          db.transaction(
            ({ root }) => promoteIn(root, `title ${round}`, `${EMPLOYEES}/employee ${number}`),
            { tries: 1 },
          ),
        ),
      )
    }
    await db.webhooks.waitForPendingDeliveries()
    const ids = transport.requests.map(({ headers }) => headers['webhook-id'])
    expect(ids).toHaveLength(110)
    expect(new Set(ids).size).toBe(110)
    expect(await attemptsOf(db)).toHaveLength(5)
    expect(await outboxSize(db)).toBe(0)
  })
})
