import { afterEach, describe, expect, test } from '@jest/globals'
import { Database, subscribeToResource, traverse } from '../../lib/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { startLocalReceiver } from '../../lib/testing/index.js'
import {
  attemptsOf,
  Employee,
  endAll,
  ending,
  makeOffice,
  OUN,
  promote,
  SUBSCRIPTION,
} from '../support/webhooks-builders.js'

afterEach(endAll)

describe('A receiver that never answers', () => {
  test('does not keep another one on the same host waiting', async () => {
    const silent = ending(await startLocalReceiver({ answer: { fault: 'silent' } }))
    const prompt = ending(await startLocalReceiver())
    const db = ending(
      await Database.open('memory', {
        storage: createMemoryStorage(),
        durability: 'relaxed',
        webhooks: {
          dispatch: 'recommended',
          ca: [silent.ca, prompt.ca],
          destinations: { allow: ['127.0.0.1'] },
          deadlineMs: 20_000,
        },
      }),
    )
    await db.transaction(({ root }) => {
      makeOffice(root)
      const oun = traverse(root, OUN)
      subscribeToResource(oun, { to: silent.url, for: Employee })
      subscribeToResource(oun, { to: prompt.url, for: Employee })
    })
    for (let number = 0; number < 40; number++) await promote(db, `title ${number}`)
    await prompt.waitForRequests(40)
    // Closing writes down what was answered, and waits for nobody.
    expect(silent.requests.length).toBeLessThanOrEqual(8)
    const toSilent = await attemptsOf(db)
    expect(toSilent).toHaveLength(40)
    expect(toSilent.every(({ status }) => status === 'pending')).toBe(true)
    while ((await attemptsOf(db, `${SUBSCRIPTION}-2`)).some(({ status }) => status === 'pending')) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await db.close()
  })
})
