import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { currentRegistry } from '../lib/component/index.js'
import {
  Database,
  evolveSchemas,
  Folder,
  globalRegistry,
  IWebhookDeliveryManager,
  queryUtility,
  RootFolder,
  type SchemaContext,
  type SchemaManager,
  traverse,
} from '../lib/index.js'
import { createMemoryDatabase, createMemoryStorage } from '../lib/storage/index.js'
import { outboxOf } from '../lib/webhooks/index.js'
import { codeThrownBy } from './support/storage-builders.js'
import {
  aDirectory,
  anOffice,
  aSubscribedOffice,
  attemptsOf,
  aWebhookDatabase,
  BOB,
  bodiesOf,
  Desk,
  Employee,
  endAll,
  ending,
  HOOK,
  makeOffice,
  promote,
  subscribe,
  theAttempt,
} from './support/webhooks-builders.js'

afterEach(endAll)

describe('Database.open', () => {
  test('makes a directory, with a root folder in it', async () => {
    const db = ending(await Database.open(join(await aDirectory(), 'new', 'data')))
    await db.view(({ root }) => {
      expect(root).toBeInstanceOf(RootFolder)
      expect(traverse(root, '/')).toBe(root)
      expect(root.size).toBe(0)
    })
  })

  test('finds again what was committed', async () => {
    const location = await aDirectory()
    const first = await Database.open(location)
    await first.transaction(({ root }) => void root.set('employees', new Folder()))
    await first.close()
    const db = ending(await Database.open(location))
    expect(await db.view(({ root }) => [...root.keys()])).toEqual(['employees'])
  })

  test('commits nothing when there is nothing to make', async () => {
    const memory = createMemoryDatabase()
    const first = await aWebhookDatabase({ memory })
    const { lastTid } = first.db
    await first.db.close()
    expect((await aWebhookDatabase({ memory })).db.lastTid).toBe(lastTid)
  })

  test('is refused while it is open elsewhere', async () => {
    const location = await aDirectory()
    ending(await Database.open(location))
    expect(await codeThrownBy(() => Database.open(location))).toBe('STORAGE_LOCKED')
  })

  test('is refused where no directory can be', async () => {
    const location = join(await aDirectory(), 'file')
    await writeFile(location, '')
    expect(await codeThrownBy(() => Database.open(location))).toBe('STORAGE_NOT_A_DIRECTORY')
  })

  test('leaves nothing locked when a setting is refused', async () => {
    const location = await aDirectory()
    await mkdir(location, { recursive: true })
    const options = { webhooks: { retry: { jitter: 2 } } }
    expect(await codeThrownBy(() => Database.open(location, options))).toBe(
      'WEBHOOK_INVALID_SETTING',
    )
    ending(await Database.open(location))
  })

  test('leaves nothing locked when `configure` throws', async () => {
    const location = await aDirectory()
    const configure = (): never => {
      throw new Error('not so')
    }
    await expect(Database.open(location, { configure })).rejects.toThrow('not so')
    ending(await Database.open(location))
  })
})

describe('Its registry', () => {
  test('is based on the global one, and its own', async () => {
    const one = await aWebhookDatabase()
    const other = await aWebhookDatabase()
    expect(one.db.registry.bases).toEqual([globalRegistry])
    expect(one.db.registry).not.toBe(other.db.registry)
    expect(one.db.registry.queryUtility(IWebhookDeliveryManager)).toBe(one.db.webhooks)
  })

  test('is the current one in transactions and views, to the end of the commit', async () => {
    const { db } = await aWebhookDatabase()
    expect(currentRegistry()).toBe(globalRegistry)
    const seen: unknown[] = []
    await db.transaction(async ({ transaction }) => {
      seen.push(currentRegistry())
      await Promise.resolve()
      seen.push(currentRegistry())
      transaction.addBeforeCommitHook(() => void seen.push(currentRegistry()))
      transaction.addAfterCommitHook(() => void seen.push(currentRegistry()))
    })
    await db.view(() => seen.push(currentRegistry()))
    expect(seen).toEqual(Array.from({ length: 5 }, () => db.registry))
    expect(currentRegistry()).toBe(globalRegistry)
  })

  test('serves objects in its tree, outside of transactions too', async () => {
    const { db } = await anOffice()
    const bob = await db.view(({ root }) => traverse(root, BOB))
    expect(queryUtility(IWebhookDeliveryManager, { context: bob })).toBe(db.webhooks)
  })
})

describe('A transaction', () => {
  test('gives what its function returns', async () => {
    const { db } = await aWebhookDatabase()
    expect(await db.transaction(() => 42)).toBe(42)
    expect(await db.transaction(async () => 42)).toBe(42)
    expect(await db.view(async ({ root }) => root.size)).toBe(0)
  })

  test('gives its connection, root mapping and transaction', async () => {
    const { db } = await aWebhookDatabase()
    await db.transaction(({ connection, rootMapping, root, transaction }) => {
      expect(connection.rootMapping).toBe(rootMapping)
      expect(rootMapping.get('root')).toBe(root)
      expect(connection.transaction).toBe(transaction)
    })
  })

  test('takes options', async () => {
    const { db } = await aSubscribedOffice({ webhooks: { deliver: false } })
    await db.transaction(
      ({ root, transaction }) => {
        expect(transaction.description).toBe('by hand')
        root.set('desk', new Desk())
      },
      { note: 'by hand' },
    )
  })

  test('is refused inside another one, and after closing', async () => {
    const { db } = await aWebhookDatabase()
    await db.transaction(async () => {
      expect(await codeThrownBy(() => db.transaction(() => {}))).toBe('TRANSACTION_ALREADY_BEGUN')
    })
    await db.close()
    expect(await codeThrownBy(() => db.transaction(() => {}))).toBe('STORAGE_CLOSED')
    expect(await codeThrownBy(() => db.view(() => {}))).toBe('STORAGE_CLOSED')
  })
})

describe('Its webhooks', () => {
  test('leave nothing without a dispatch set', async () => {
    const { db, transport } = await aSubscribedOffice({ dispatch: 'none' })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
    expect(await attemptsOf(db)).toEqual([])
  })

  test('leave nothing by default', async () => {
    const db = ending(
      await Database.open('memory', { storage: createMemoryStorage(), durability: 'relaxed' }),
    )
    await db.transaction(({ root }) => makeOffice(root))
    await subscribe(db)
    await promote(db)
    expect(await attemptsOf(db)).toEqual([])
  })

  test('with the recommended set leave after the commit', async () => {
    const { db, transport } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      root.set('Ann', new Employee())
    })
    await promote(db)
    expect(await db.view(({ root }) => traverse(root, BOB, Employee).title)).toBe('Senior')
    await db.webhooks.waitForPendingDeliveries()
    expect(bodiesOf(transport)).toEqual([{ name: 'Bob', title: 'Senior', path: BOB }])
    expect(transport.requests[0]?.url).toBe(HOOK)
  })
})

describe('Closing', () => {
  test('may be asked for twice', async () => {
    const { db } = await aWebhookDatabase()
    await Promise.all([db.close(), db.close()])
    await db.close()
    expect(db.isOpen).toBe(false)
  })

  test('happens at the end of `await using`', async () => {
    const location = await aDirectory()
    {
      await using db = await Database.open(location)
      expect(db.isOpen).toBe(true)
    }
    ending(await Database.open(location))
  })

  test('keeps the result that came while it was asked for', async () => {
    const memory = createMemoryDatabase()
    const first = await aSubscribedOffice({ memory })
    await promote(first.db)
    while (first.transport.requests.length === 0) await new Promise(setImmediate)
    await first.db.close()
    const { db, transport } = await aWebhookDatabase({ memory })
    await db.webhooks.waitForPendingDeliveries()
    expect((await theAttempt(db)).tries).toHaveLength(1)
    expect(transport.requests.length).toBeLessThanOrEqual(1)
  })
})

describe('A database with schemas', () => {
  const stepTo = (generation: number): NonNullable<SchemaManager['steps']> => ({
    [generation]: ({ root }: SchemaContext) => void root.set(`step ${generation}`, new Folder()),
  })

  test('is at their generations when it is new', async () => {
    const location = await aDirectory()
    const schema = { name: 'shop', generation: 1, minimumGeneration: 1, steps: stepTo(1) }
    const first = await Database.open(location, { schemas: [schema] })
    expect(await first.view(({ root }) => root.size)).toBe(0)
    await first.close()
    const later = { ...schema, generation: 2, steps: stepTo(2) }
    const db = ending(await Database.open(location, { schemas: [later] }))
    expect(await db.view(({ root }) => [...root.keys()])).toEqual(['step 2'])
  })

  test('is evolved before deliveries are taken up, with its own components', async () => {
    const memory = createMemoryDatabase()
    await (await aWebhookDatabase({ memory })).db.close()
    const seen: unknown[] = []
    const schema: SchemaManager = {
      name: 'shop',
      generation: 0,
      install: () => void seen.push(queryUtility(IWebhookDeliveryManager), 'installed'),
    }
    const storage = createMemoryStorage({ database: memory })
    const db = ending(await Database.open('', { storage, schemas: [schema] }))
    expect(seen).toEqual([db.webhooks, 'installed'])
  })

  test('does not open when a step fails that it needs, and can be opened again', async () => {
    const location = await aDirectory()
    await (await Database.open(location)).close()
    const schema = {
      name: 'shop',
      generation: 1,
      minimumGeneration: 1,
      unrecordedGeneration: 0,
      steps: { 1: () => Promise.reject(new Error('ill')) },
    }
    expect(await codeThrownBy(() => Database.open(location, { schemas: [schema] }))).toBe(
      'CONTENT_UNABLE_TO_EVOLVE',
    )
    const cured = { ...schema, steps: stepTo(1) }
    const db = ending(await Database.open(location, { schemas: [cured] }))
    expect(await db.view(({ root }) => [...root.keys()])).toEqual(['step 1'])
  })

  test('is only looked at when it is read', async () => {
    const location = await aDirectory()
    const schema = { name: 'shop', generation: 0 }
    await (await Database.open(location, { schemas: [schema] })).close()
    const later = { ...schema, generation: 1, steps: stepTo(1) }
    const reading = (minimumGeneration: number) =>
      Database.open(location, { readOnly: true, schemas: [{ ...later, minimumGeneration }] })
    const db = await reading(0)
    expect(await db.view(({ root }) => root.size)).toBe(0)
    await db.close()
    expect(await codeThrownBy(() => reading(1))).toBe('CONTENT_GENERATION_TOO_LOW')
  })

  test('can be evolved to the minimum, and the rest while it is in use', async () => {
    const location = await aDirectory()
    await (await Database.open(location, { schemas: [{ name: 'shop', generation: 0 }] })).close()
    const schemas: SchemaManager[] = [
      { name: 'shop', generation: 2, minimumGeneration: 1, steps: { ...stepTo(1), ...stepTo(2) } },
    ]
    const db = ending(await Database.open(location, { schemas, evolve: { mode: 'evolveMinimum' } }))
    expect(await db.view(({ root }) => [...root.keys()])).toEqual(['step 1'])
    expect(await evolveSchemas(db, schemas)).toMatchObject([{ from: 1, generation: 2 }])
  })
})

describe('A pack', () => {
  test('keeps attempts that are still to be sent, whatever leads to them', async () => {
    const db = ending(await Database.open(await aDirectory()))
    const [pending, other] = await db.transaction(({ connection }) => {
      const oids = [connection.add(new Folder()), connection.add(new Folder())] as const
      outboxOf(connection).set(oids[0], Number.MAX_SAFE_INTEGER)
      return oids
    })
    expect(await db.pack({ graceMs: 0 })).toMatchObject({ removed: 1 })
    await db.view(({ connection }) => {
      expect(connection.query(pending)).toBeInstanceOf(Folder)
      expect(connection.query(other)).toBeUndefined()
    })
  })
})
