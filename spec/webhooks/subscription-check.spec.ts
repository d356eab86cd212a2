import { afterEach, describe, expect, test } from '@jest/globals'
import {
  defineInterface,
  ObjectModifiedEvent,
  queryTraverse,
  type SubscriptionOptions,
  subscribeToResource,
  traverse,
} from '../../lib/index.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'
import {
  anOffice,
  aSubscribedOffice,
  Employee,
  endAll,
  HOOK,
  MANAGER,
  managerIn,
  OUN,
  subscribe,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

const INotAnEvent = defineInterface('spec.webhooks.INotAnEvent')

class Unstored {}

const bad: readonly (readonly [what: string, options: object, code: string])[] = [
  ['no URL', { to: undefined }, 'WEBHOOK_INVALID_TARGET'],
  ['null', { to: null }, 'WEBHOOK_INVALID_TARGET'],
  ['http', { to: 'http://example.com' }, 'WEBHOOK_INVALID_TARGET'],
  ['a space in the URL', { to: 'https://example.com/a b' }, 'WEBHOOK_INVALID_TARGET'],
  ['a line break after the URL', { to: 'https://example.com/\n' }, 'WEBHOOK_INVALID_TARGET'],
  ['bytes', { to: Buffer.from(HOOK) }, 'WEBHOOK_INVALID_TARGET'],
  ['no host', { to: 'https://' }, 'WEBHOOK_INVALID_TARGET'],
  ['no slashes', { to: 'https:example.com' }, 'WEBHOOK_INVALID_TARGET'],
  ['backslashes', { to: 'https:\\\\example.com' }, 'WEBHOOK_INVALID_TARGET'],
  ['a relative URL', { to: '/hook' }, 'WEBHOOK_INVALID_TARGET'],
  ['another scheme', { to: 'ftp://example.com' }, 'WEBHOOK_INVALID_TARGET'],
  ['`when` null', { when: null }, 'WEBHOOK_INVALID_TRIGGER'],
  ['`when` no event', { when: INotAnEvent }, 'WEBHOOK_INVALID_TRIGGER'],
  ['`when` an event class', { when: ObjectModifiedEvent }, 'WEBHOOK_INVALID_TRIGGER'],
  ['`when` text', { when: 'modified' }, 'WEBHOOK_INVALID_TRIGGER'],
  ['`for` text', { for: 'Employee' }, 'COMPONENT_INVALID_REGISTRATION'],
  ['`for` null', { for: null }, 'COMPONENT_INVALID_REGISTRATION'],
  ['`for` a class without a stored name', { for: Unstored }, 'COMPONENT_INVALID_REGISTRATION'],
  ['space in the owner', { ownerId: 'the boss' }, 'WEBHOOK_INVALID_OWNER'],
  ['a tab in the owner', { ownerId: 'the\tboss' }, 'WEBHOOK_INVALID_OWNER'],
  ['bytes as the owner', { ownerId: Buffer.from('boss') }, 'WEBHOOK_INVALID_OWNER'],
  ['an unknown permission', { permissionId: 'no.such' }, 'WEBHOOK_INVALID_OWNER'],
  ['the public permission', { permissionId: 'zope.Public' }, 'WEBHOOK_INVALID_OWNER'],
  ['an unknown dialect', { dialectId: 'no such' }, 'WEBHOOK_UNKNOWN_DIALECT'],
]

describe('A subscription that is refused', () => {
  test.each(bad)('subscribeToResource: %s', async (_what, options, code) => {
    const { db } = await anOffice()
    await db.transaction(async ({ root }) => {
      const wanted = { to: HOOK, for: Employee, ...options } as SubscriptionOptions
      expect(await codeThrownBy(() => subscribeToResource(traverse(root, OUN), wanted))).toBe(code)
      // Not even an empty manager.
      expect(queryTraverse(root, MANAGER)).toBeUndefined()
    })
  })

  test.each(bad)('createSubscription: %s', async (_what, options, code) => {
    const { db } = await aSubscribedOffice()
    await db.transaction(async ({ root }) => {
      const wanted = { to: HOOK, for: Employee, ...options } as SubscriptionOptions
      expect(await codeThrownBy(() => managerIn(root).createSubscription(wanted))).toBe(code)
      expect(managerIn(root).size).toBe(1)
    })
  })

  test('says of whitespace in an owner what upstream says', async () => {
    const { db } = await anOffice()
    await db.transaction(async ({ root }) => {
      const error = await errorOf(() =>
        subscribeToResource(traverse(root, OUN), { to: HOOK, for: Employee, ownerId: 'a b' }),
      )
      expect(error.message).toBe('Whitespace is not allowed in an ID')
    })
  })

  test('tells no secret of a URL', async () => {
    const { db } = await anOffice()
    await db.transaction(async ({ root }) => {
      for (const to of ['http://user:s3cret@example.com', 'https://user:s3cret@example.com/a b']) {
        const error = await errorOf(() => subscribeToResource(traverse(root, OUN), { to }))
        expect(error.message).not.toContain('s3cret')
      }
    })
  })
})

describe('A subscription that is accepted', () => {
  test.each([
    'HTTPS://example.com',
    'https://user:pass@host.example:8443/p?q',
    'https://[2001:db8::1]/',
  ])('to %s', async (to) => {
    const { db } = await anOffice()
    const path = await subscribe(db, OUN, { to })
    await db.view(({ root }) => expect(subscriptionIn(root, path).to).toBe(to))
  })

  test('an empty owner is none', async () => {
    const { db } = await anOffice()
    const path = await subscribe(db, OUN, { ownerId: '' })
    await db.view(({ root }) => expect(subscriptionIn(root, path).ownerId).toBeUndefined())
  })

  test('the empty dialect is the default one', async () => {
    const { db } = await anOffice()
    const path = await subscribe(db, OUN, { dialectId: '' })
    await db.view(({ root }) => expect(subscriptionIn(root, path).dialectId).toBe(''))
  })
})
