import { afterEach, describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  IObjectModifiedEvent,
  IWebhookPayload,
  ObjectModifiedEvent,
  Site,
  traverse,
} from '../../lib/index.js'
import { payloadFor } from '../../lib/webhooks/index.js'
import { anOffice, BOB, Employee, endAll } from '../support/webhooks-builders.js'

afterEach(endAll)

class Substitute {
  readonly by: string
  constructor(by: string) {
    this.by = by
  }
}

/** From the last resort to the first choice. */
const STEPS = ['unnamed', 'named', 'itself', 'unnamed of both', 'named of both'] as const

describe('payloadFor', () => {
  test('is the object itself when nothing stands for it', async () => {
    const { db } = await anOffice()
    await db.view(({ root }) => {
      const bob = traverse(root, BOB)
      expect(payloadFor(bob, new ObjectModifiedEvent(bob), 'webhook-delivery')).toBe(bob)
    })
  })

  test('is the first of what stands for it, in order', async () => {
    const { db } = await anOffice()
    const name = 'webhook-delivery'
    const adapts = [Employee] as const
    const both = [Employee, IObjectModifiedEvent] as const
    const provides = IWebhookPayload
    const found: unknown[] = []
    await db.transaction(({ root }) => {
      const bob = traverse(root, BOB)
      const look = (): void => {
        const payload = payloadFor(bob, new ObjectModifiedEvent(bob), name)
        found.push(payload instanceof Substitute ? payload.by : payload === bob && 'itself')
      }
      const { registry } = db
      registry.registerAdapter(() => new Substitute('unnamed'), { adapts, provides })
      look()
      registry.registerAdapter(() => new Substitute('named'), { adapts, provides, name })
      look()
      alsoProvides(bob, IWebhookPayload)
      look()
      registry.registerAdapter(() => new Substitute('unnamed of both'), { adapts: both, provides })
      look()
      registry.registerAdapter(() => new Substitute('named of both'), {
        adapts: both,
        provides,
        name,
      })
      look()
    })
    expect(found).toEqual(STEPS)
  })

  test('passes on from an adapter that declines', async () => {
    const { db } = await anOffice()
    const provides = IWebhookPayload
    db.registry.registerAdapter(() => new Substitute('unnamed'), { adapts: [Employee], provides })
    db.registry.registerAdapter(() => undefined, {
      adapts: [Employee, IObjectModifiedEvent],
      provides,
    })
    await db.view(({ root }) => {
      const bob = traverse(root, BOB)
      expect(payloadFor(bob, new ObjectModifiedEvent(bob), '')).toEqual(new Substitute('unnamed'))
      expect(traverse(root, '/NOAA')).toBeInstanceOf(Site)
    })
  })
})
