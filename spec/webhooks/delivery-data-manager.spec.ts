import { afterEach, describe, expect, test } from '@jest/globals'
import {
  type ComponentRegistry,
  DefaultDialect,
  type Folder,
  IObjectModifiedEvent,
  IObjectRemovedEvent,
  IWebhookDeliveryAttemptResolvedEvent,
  IWebhookDialect,
  IWebhookPayload,
  modified,
  notify,
  ObjectModifiedEvent,
  type Oid,
  subscribeToResource,
  traverse,
  WebhookDeliveryAttempt,
} from '../../lib/index.js'
import { attemptName } from '../../lib/webhooks/delivery-data-manager.js'
import {
  anOffice,
  aSubscribedOffice,
  attemptsOf,
  BOB,
  bodiesOf,
  EMPLOYEES,
  Employee,
  endAll,
  HOOK,
  managerIn,
  OUN,
  outboxSize,
  promote,
  promoteIn,
  SUBSCRIPTION,
  subscribe,
  subscriptionIn,
  theAttempt,
} from '../support/webhooks-builders.js'

afterEach(endAll)

class FailingDialect extends DefaultDialect {
  override externalizeData(): string {
    throw new Error('no words')
  }
}

class CountingDialect extends DefaultDialect {
  calls = 0
  override externalizeData(object: object, event: object): string {
    this.calls++
    return super.externalizeData(object, event)
  }
}

describe('The webhooks of a transaction', () => {
  test('are pending in the same commit as the change', async () => {
    const { db, clock } = await aSubscribedOffice({ webhooks: { deliver: false } })
    const tidBefore = db.lastTid
    await db.transaction(({ root }) => promoteIn(root, 'Senior'), {
      note: '/employees/Bob/@@promote',
    })
    expect(db.lastTid).toBe(tidBefore + 1)
    expect(await theAttempt(db)).toMatchObject({
      status: 'pending',
      resolution: undefined,
      message: '',
      messageId: expect.stringMatching(/^msg_[0-9a-f-]{36}$/),
      payload: JSON.stringify({ name: 'Bob', title: 'Senior', path: BOB }),
      tries: [],
      dueAtMs: clock.nowMs(),
      request: null,
      response: null,
      errorHistory: [],
      createdAtMs: clock.nowMs(),
      origin: {
        pid: process.pid,
        host: expect.any(String),
        createdAtMs: clock.nowMs(),
        transactionNote: '/employees/Bob/@@promote',
      },
    })
    expect(await outboxSize(db)).toBe(1)
  })

  test('say the object as it is committed, not as it was at the event', async () => {
    const { db, transport } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      promoteIn(root, 'at the event')
      traverse(root, BOB, Employee).title = 'at the commit'
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(bodiesOf(transport)).toEqual([{ name: 'Bob', title: 'at the commit', path: BOB }])
  })

  test('say name and path of a removed object', async () => {
    const { db, transport } = await aSubscribedOffice({
      subscription: { when: IObjectRemovedEvent },
    })
    await db.transaction(({ root }) => (traverse(root, EMPLOYEES) as Folder).delete('Bob'))
    await db.webhooks.waitForPendingDeliveries()
    expect(bodiesOf(transport)).toEqual([{ name: 'Bob', title: '', path: BOB }])
  })

  test('say name and path of an object that was modified and then removed', async () => {
    const { db, transport } = await aSubscribedOffice({
      subscription: { when: IObjectModifiedEvent },
    })
    await db.transaction(({ root }) => {
      promoteIn(root, 'Senior')
      ;(traverse(root, EMPLOYEES) as Folder).delete('Bob')
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(bodiesOf(transport)).toEqual([{ name: 'Bob', title: 'Senior', path: BOB }])
  })

  test('say the new place of an object that was removed and put back', async () => {
    const { db, transport } = await aSubscribedOffice({
      subscription: { when: IObjectModifiedEvent },
    })
    await db.transaction(({ root }) => {
      promoteIn(root, 'Senior')
      const employees = traverse(root, EMPLOYEES) as Folder
      const bob = employees.getItem('Bob')
      employees.delete('Bob')
      employees.set('Robert', bob)
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(bodiesOf(transport)).toEqual([
      { name: 'Robert', title: 'Senior', path: `${EMPLOYEES}/Robert` },
    ])
  })

  test('go to each subscription, also when their URLs are the same', async () => {
    const { db, transport } = await aSubscribedOffice()
    const second = await subscribe(db)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests.map(({ url }) => url)).toEqual([
      'https://example.com/hook',
      'https://example.com/hook',
    ])
    const [one, other] = [await theAttempt(db), await theAttempt(db, second)]
    expect(one.messageId).not.toBe(other.messageId)
  })

  test('are built once for each object, event and dialect', async () => {
    const dialect = new CountingDialect()
    const { db } = await aSubscribedOffice({
      webhooks: { deliver: false },
      configure: (registry) =>
        registry.registerUtility(dialect, { provides: IWebhookDialect, name: 'counting' }),
    })
    await subscribe(db, OUN, { dialectId: 'counting' })
    await subscribe(db, OUN, { dialectId: 'counting' })
    await db.transaction(({ root }) => {
      modified(traverse(root, BOB))
      modified(traverse(root, BOB))
    })
    expect(dialect.calls).toBe(2)
  })

  test('are of the subscription that was made in the same transaction', async () => {
    const { db } = await aSubscribedOffice({ webhooks: { deliver: false } })
    await db.transaction(({ root }) => {
      const { to, for: kind } = subscriptionIn(root)
      managerIn(root).createSubscription({ to, for: kind })
      promoteIn(root, 'Senior')
    })
    expect(await attemptsOf(db, `${SUBSCRIPTION}-2`)).toMatchObject([{ status: 'pending' }])
  })

  test('have endpoints of their own when their subscriptions were made in the same transaction', async () => {
    const { db, transport } = await anOffice({
      webhooks: { concurrency: { maxRunningPerEndpoint: 1 } },
    })
    transport.answer(({ url }) => (url === HOOK ? 200 : new Promise(() => {})))
    await db.transaction(({ root }) => {
      const oun = traverse(root, OUN)
      subscribeToResource(oun, { to: 'https://silent.example/', for: Employee })
      subscribeToResource(oun, { to: HOOK, for: Employee })
      promoteIn(root, 'Senior')
    })
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect(transport.requests.map(({ url }) => url).sort()).toEqual([
      HOOK,
      'https://silent.example/',
    ])
  })

  test('are cancelled when their subscription is removed later in the transaction', async () => {
    const resolved: string[] = []
    const { db, transport } = await aSubscribedOffice({
      configure: (registry) =>
        registry.registerHandler(
          (attempt) => void resolved.push(`${attempt.resolution}: ${attempt.message}`),
          { for: [WebhookDeliveryAttempt, IWebhookDeliveryAttemptResolvedEvent] },
        ),
    })
    await db.transaction(({ root }) => {
      promoteIn(root, 'Senior')
      managerIn(root).delete('PersistentSubscription')
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
    expect(await outboxSize(db)).toBe(0)
    expect(resolved).toEqual(['cancelled: The subscription was removed.'])
  })

  test('are recorded after a rolled-back savepoint that had let them leave', async () => {
    const { db, transport } = await aSubscribedOffice()
    await db.transaction(({ root, transaction }) => {
      const savepoint = transaction.savepoint()
      promoteIn(root, 'taken back')
      savepoint.rollback()
      promoteIn(root, 'kept')
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(bodiesOf(transport)).toEqual([{ name: 'Bob', title: 'kept', path: BOB }])
  })

  test('go with a savepoint as far as they were noted since, and stay as far as before', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root, transaction }) => {
      const employees = traverse(root, EMPLOYEES) as Folder
      promoteIn(root, 'Senior')
      const event = new ObjectModifiedEvent(employees.getItem('Bob'))
      notify(event)
      const savepoint = transaction.savepoint()
      for (const title of ['once', 'twice']) {
        promoteIn(root, title)
        notify(event)
        employees.set(title, new Employee())
        employees.delete('Bob')
        savepoint.rollback()
      }
      employees.set('Eve', new Employee())
    })
    const payloads = (await attemptsOf(db)).map(({ payload }) => JSON.parse(payload))
    expect(payloads).toEqual([
      { name: 'Bob', title: 'Senior', path: BOB },
      { name: 'Bob', title: 'Senior', path: BOB },
      { name: 'Eve', title: '', path: `${EMPLOYEES}/Eve` },
    ])
  })
})

describe('A dialect that throws', () => {
  const failing = {
    subscription: { dialectId: 'failing' },
    configure: (registry: ComponentRegistry) =>
      registry.registerUtility(new FailingDialect(), {
        provides: IWebhookDialect,
        name: 'failing',
      }),
  }

  test('leaves a failed attempt, and the commit stands', async () => {
    const { db, transport } = await aSubscribedOffice(failing)
    const other = await subscribe(db)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({
      status: 'failed',
      resolution: 'notBuilt',
      message: 'Building the request failed.',
      payload: '',
      errorHistory: ['no words'],
    })
    expect(await theAttempt(db, other)).toMatchObject({ status: 'successful' })
    expect(transport.requests).toHaveLength(1)
    expect(await outboxSize(db)).toBe(0)
    expect(await db.view(({ root }) => traverse(root, BOB, Employee).title)).toBe('Senior')
  })

  test('fails the commit of a strict database', async () => {
    const { db, transport } = await aSubscribedOffice({ ...failing, webhooks: { strict: true } })
    await expect(promote(db)).rejects.toThrow('no words')
    expect(await attemptsOf(db)).toEqual([])
    expect(transport.requests).toHaveLength(0)
    expect(await db.view(({ root }) => traverse(root, BOB, Employee).title)).toBe('')
  })

  test('counts as a failure: the history is kept short and the subscription suspended', async () => {
    const { db } = await aSubscribedOffice(failing)
    await db.transaction(({ root }) => {
      subscriptionIn(root).attemptLimit = 3
    })
    for (let count = 0; count < 5; count++) await promote(db, `title ${count}`)
    expect(await attemptsOf(db)).toHaveLength(3)
    await db.view(({ root }) => {
      expect(subscriptionIn(root).active).toBe(false)
      expect(subscriptionIn(root).statusMessage).toBe(
        'Delivery suspended due to too many delivery failures.',
      )
    })
  })
})

describe('An object whose external form throws', () => {
  test('leaves a failed attempt', async () => {
    const { db } = await aSubscribedOffice({
      configure: (registry) =>
        registry.registerAdapter(
          (): object => {
            throw new RangeError('too secret')
          },
          { adapts: [Employee], provides: IWebhookPayload },
        ),
    })
    await promote(db)
    expect(await theAttempt(db)).toMatchObject({
      resolution: 'notBuilt',
      errorHistory: ['too secret'],
    })
  })
})

describe('attemptName', () => {
  test('sorts by time as text', () => {
    expect(attemptName(999, 7 as Oid) < attemptName(1_767_225_600_000, 3 as Oid)).toBe(true)
  })

  test('sorts by oid as text at the same time', () => {
    expect(attemptName(5, 9 as Oid) < attemptName(5, 10 as Oid)).toBe(true)
  })
})
