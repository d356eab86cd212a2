import { describe, expect, test } from '@jest/globals'
import {
  BTree,
  type ConflictStates,
  field,
  type ObjectDatabase,
  ObjectStub,
  Persistent,
  stored,
} from '../../lib/persistence/index.js'
import { ConflictError, createMemoryStorage, toOid, toTid } from '../../lib/storage/index.js'
import { aConnection, aDatabase, Employee } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

type States = ConflictStates<Record<string, unknown>>
/** What the resolver of a spec does, and what it was given. */
let resolve: (states: States) => unknown = () => undefined
let given: States[] = []

@stored('spec.Meter')
class Meter extends Persistent {
  @field accessor total = 0
  @field accessor log: unknown = []
  @field accessor owner: Employee | undefined = undefined

  static resolveConflict(states: States) {
    given.push(states)
    return resolve(states) as Record<string, unknown> | undefined
  }
}

/** A collection with a counter beside its tree. */
@stored('spec.Ledger')
class Ledger extends BTree<string, number> {
  @field accessor sum = 0

  static resolveConflict({ old, saved, wanted }: ConflictStates<{ sum: number }>) {
    return { sum: saved.sum + wanted.sum - old.sum }
  }
}

const add = ({ old, saved, wanted }: States) => ({
  ...saved,
  total: (saved.total as number) + (wanted.total as number) - (old.total as number),
})

async function aDatabaseWith(
  object: Persistent,
  options: Parameters<typeof aDatabase>[0] = {},
): Promise<ObjectDatabase> {
  given = []
  const db = await aDatabase(options)
  await db.transaction(({ rootMapping }) => void rootMapping.set('it', object))
  return db
}

const itOf = <T extends Persistent>({
  rootMapping,
}: {
  rootMapping: BTree<string, Persistent>
}): T => rootMapping.get('it') as T

/** Both begin at one instant; `first` commits before `second`. */
async function race<T extends Persistent>(
  db: ObjectDatabase,
  first: (it: T) => void,
  second: (it: T) => void,
): Promise<{ code: string | undefined; it: T }> {
  const { connection, transactions } = aConnection(db)
  transactions.begin()
  const it = itOf<T>(connection)
  second(it)
  await db.transaction((context) => first(itOf<T>(context)))
  const code = await codeThrownBy(() => transactions.commit())
  if (code !== 'nothing') await transactions.abort()
  transactions.begin()
  return { code, it: itOf<T>(connection) }
}

const raise =
  (by: number) =>
  (meter: Meter): void => {
    meter.total += by
  }

describe('A class with resolveConflict', () => {
  test('merges what two transactions wrote; its object is what was stored', async () => {
    resolve = add
    const db = await aDatabaseWith(new Meter())
    const { code, it } = await race<Meter>(db, raise(5), raise(2))
    expect([code, it.total]).toEqual(['nothing', 7])
    db.cacheClear()
    expect(await db.view((context) => itOf<Meter>(context).total)).toBe(7)
    expect(db.counters).toMatchObject({ conflicts: 0, resolutions: 1 })
  })

  test('is given the state both began with, the saved one and the wanted one, as plain data', async () => {
    resolve = add
    const data = () => ({ list: [1], at: new Date(3), map: new Map([['k', new Set([1])]]) })
    const meter = new Meter()
    meter.log = data()
    const db = await aDatabaseWith(meter)
    await race<Meter>(
      db,
      (it) => {
        ;(it.log as ReturnType<typeof data>).list.push(2)
      },
      raise(1),
    )
    const [{ old, saved, wanted }] = given as [States]
    expect(old).toEqual({ total: 0, log: data(), owner: undefined })
    expect(saved).toEqual({ ...old, log: { ...data(), list: [1, 2] } })
    expect(wanted).toEqual({ ...old, total: 1 })
    ;(old.log as ReturnType<typeof data>).list.push(9)
    ;(old.log as ReturnType<typeof data>).at.setTime(9)
    const stored = await db.view((context) => itOf<Meter>(context).log)
    expect(stored).toMatchObject({ list: [1, 2], at: new Date(3) })
  })

  test('knows persistent objects by stubs, which can be compared and stored', async () => {
    const meter = new Meter()
    meter.owner = new Employee({ title: 'ann' })
    meter.log = [meter.owner]
    const db = await aDatabaseWith(meter)
    resolve = ({ old, saved, wanted }) => {
      expect(old.owner).toBeInstanceOf(ObjectStub)
      expect(old.owner).toBe(saved.owner)
      expect((wanted.log as unknown[])[0]).toBe(old.owner)
      expect(wanted.owner).not.toBe(old.owner)
      return { ...wanted, log: [wanted.owner, old.owner] }
    }
    const { code } = await race<Meter>(db, raise(1), (it) => {
      it.owner = new Employee({ title: 'bob' })
    })
    expect(code).toBe('nothing')
    const titles = await db.view((context) => {
      const { owner, log } = itOf<Meter>(context)
      return [owner!.title, (log as Employee[]).map(({ title }) => title)]
    })
    expect(titles).toEqual(['bob', ['bob', 'ann']])
  })

  test('conflicts without a report when it declines', async () => {
    const errors: unknown[] = []
    for (const decline of [
      () => undefined,
      () => {
        throw ConflictError.between({
          oid: toOid(1),
          what: 'it',
          read: toTid(1),
          committed: toTid(2),
        })
      },
    ]) {
      resolve = decline
      const db = await aDatabaseWith(new Meter(), { onError: (error) => errors.push(error) })
      expect((await race<Meter>(db, raise(1), raise(1))).code).toBe('STORAGE_CONFLICT')
      expect(db.counters).toMatchObject({ conflicts: 1, resolutions: 0 })
    }
    expect(errors).toEqual([])
  })

  test.each<[string, (states: States) => unknown, RegExp]>([
    [
      'an error',
      () => {
        throw new Error('oops')
      },
      /oops/,
    ],
    ['a state that lacks a field', () => ({ total: 1, log: [] }), /owner/],
    ['a field that it does not have', ({ saved }) => ({ ...saved, other: 1 }), /other/],
    ['a promise', async ({ saved }) => saved, /total/],
    [
      'a value that cannot be stored',
      ({ saved }) => ({ ...saved, log: Symbol('x') }),
      /Meter\.log/,
    ],
    ['an object that is in no state', ({ saved }) => ({ ...saved, owner: new Employee() }), /none/],
    ['null', () => null, /resolveConflict/],
  ])('conflicts and is reported when it gives %s', async (_, wrong, message) => {
    const errors: [unknown, string][] = []
    resolve = wrong
    const db = await aDatabaseWith(new Meter(), { onError: (...args) => errors.push(args) })
    expect((await race<Meter>(db, raise(1), raise(1))).code).toBe('STORAGE_CONFLICT')
    expect(errors).toEqual([[expect.any(Error), 'resolveConflict of spec.Meter']])
    expect(String(errors[0]![0])).toMatch(message)
  })

  test('an error reporter that throws does not keep the conflict from being one', async () => {
    resolve = () => {
      throw new Error('oops')
    }
    const db = await aDatabaseWith(new Meter(), {
      onError: () => {
        throw new Error('reporter')
      },
    })
    expect((await race<Meter>(db, raise(1), raise(1))).code).toBe('STORAGE_CONFLICT')
  })

  test('merges with commits that are on their way, however many', async () => {
    resolve = add
    const storage = new WrappedStorage()
    const db = await aDatabaseWith(new Meter(), { storage })
    let release = (): void => undefined
    storage.beforeWrite = () =>
      new Promise((resolve) => {
        release = resolve
      })
    const clients = [1, 10, 100, 1000].map((by) => {
      const client = aConnection(db)
      client.transactions.begin()
      itOf<Meter>(client.connection).total += by
      return client
    })
    const committing = clients.map(({ transactions }) => transactions.commit())
    await new Promise(setImmediate)
    storage.beforeWrite = async () => undefined
    release()
    await Promise.all(committing)
    expect(await db.view((context) => itOf<Meter>(context).total)).toBe(1111)
    expect(given.map(({ saved }) => saved.total)).toEqual([1, 11, 111])
  })

  test('merges beside the replay of its tree', async () => {
    const db = await aDatabaseWith(new Ledger())
    const enter =
      (name: string, amount: number) =>
      (ledger: Ledger): void => {
        ledger.set(name, amount)
        ledger.sum += amount
      }
    const { code, it } = await race<Ledger>(db, enter('a', 5), enter('b', 2))
    expect([code, it.sum, [...it]]).toEqual([
      'nothing',
      7,
      [
        ['a', 5],
        ['b', 2],
      ],
    ])
    expect(db.counters).toMatchObject({ replays: 1, resolutions: 1 })
    expect((await race<Ledger>(db, enter('c', 1), enter('c', 1))).code).toBe('STORAGE_CONFLICT')
  })

  test('that many transactions write at once is written without a conflict', async () => {
    resolve = add
    const db = await aDatabaseWith(new Meter(), { storage: createMemoryStorage() })
    await Promise.all(
      Array.from({ length: 50 }, () =>
        db.transaction(async (context) => {
          raise(1)(itOf<Meter>(context))
          await new Promise(setImmediate)
        }),
      ),
    )
    expect(await db.view((context) => itOf<Meter>(context).total)).toBe(50)
    expect(db.counters.conflicts).toBe(0)
  })
})
