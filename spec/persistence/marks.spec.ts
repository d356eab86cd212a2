import { Readable, Writable } from 'node:stream'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  cloneOf,
  exportSubtree,
  field,
  importObject,
  marksOf,
  type ObjectDatabase,
  oidOf,
  Persistent,
  setMarks,
  stateOf,
  stored,
} from '../../lib/persistence/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import {
  aDatabase,
  aDatabaseWithBob,
  aMemoryPlace,
  anEarlierObject,
  bobOf,
  Employee,
  ofStoredBob,
} from '../support/persistence-builders.js'

const opened: ObjectDatabase[] = []
const open = async (database: Promise<ObjectDatabase>): Promise<ObjectDatabase> => {
  opened.push(await database)
  return database
}
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close()
})

const markedBob = async (...marks: readonly string[]): Promise<ObjectDatabase> => {
  const storage = createMemoryStorage({ history: 'all' })
  const db = await open(aDatabaseWithBob({ title: 'clerk' }, { storage }))
  await db.transaction((context) => setMarks(bobOf(context), marks))
  return db
}
const storedMarks = (db: ObjectDatabase) => ofStoredBob(db, marksOf)

@stored('spec.MarkedEvolved')
class Evolved extends Persistent {
  @field accessor first = ''

  static evolve({ name }: { readonly name: string }) {
    return { first: name.split(' ')[0] }
  }
}

@stored('spec.MarkedEvolvedAlready')
class Unchanged extends Persistent {
  @field accessor first = ''
  static calls = 0

  static evolve() {
    Unchanged.calls++
    return {}
  }
}

@stored('spec.MarkedMeter')
class Meter extends Persistent {
  @field accessor count = 0

  static resolveConflict({ old, saved, wanted }: Record<'old' | 'saved' | 'wanted', Meter>) {
    return { count: saved.count + wanted.count - old.count }
  }
}

describe('The marks of an object', () => {
  test('are none, then those that were set, then none', () => {
    const bob = new Employee()
    expect(marksOf(bob)).toBeUndefined()
    setMarks(bob, ['a', 'b'])
    expect(marksOf(bob)).toEqual(['a', 'b'])
    expect(marksOf(bob)).toBe(marksOf(bob))
    expect(Object.isFrozen(marksOf(bob))).toBe(true)
    expect(bob.title).toBe('')
    setMarks(bob, undefined)
    expect(marksOf(bob)).toBeUndefined()
  })

  test('are stored with a new object, and with one that is there', async () => {
    const db = await open(aDatabase())
    await db.transaction(({ rootMapping }) => {
      const [ann, bob] = [new Employee({ title: 'Ann' }), new Employee({ title: 'Bob' })]
      setMarks(ann, ['a'])
      rootMapping.set('ann', ann).set('bob', bob)
    })
    await db.transaction((context) => setMarks(bobOf(context), ['b']))
    expect(await storedMarks(db)).toEqual(['b'])
    db.cacheClear()
    await db.view(({ rootMapping }) => {
      const ann = rootMapping.get('ann') as Employee
      expect([ann.title, marksOf(ann)]).toEqual(['Ann', ['a']])
    })
  })

  test('are there after reopening', async () => {
    const place = aMemoryPlace()
    const before = await place()
    await before.transaction(({ rootMapping }) => {
      const bob = new Employee({ phones: ['1'] })
      setMarks(bob, ['x'])
      rootMapping.set('bob', bob)
    })
    await before.close()
    const db = await open(place())
    expect(await ofStoredBob(db, (bob) => [marksOf(bob), bob.phones[0]])).toEqual([['x'], '1'])
  })

  test('have a place in the record of an object that has some, and in no other', async () => {
    const db = await markedBob('a')
    await db.transaction(({ rootMapping }) => void rootMapping.set('ann', new Employee()))
    const fields = await db.view(({ connection, rootMapping }) =>
      ['bob', 'ann'].map((name) => {
        const { classId } = connection.loadRecord(oidOf(rootMapping.get(name)!)!)!
        return connection.classes.rowOf(classId)!.fields
      }),
    )
    const ofClass = ['title', 'phones', 'boss', 'data']
    expect(fields).toEqual([[...ofClass, '__provides__'], ofClass])
  })

  test('go with an abort, and with a savepoint that is rolled back to', async () => {
    const db = await markedBob('a')
    await expect(
      db.transaction((context) => {
        setMarks(bobOf(context), ['b'])
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await storedMarks(db)).toEqual(['a'])
    await db.transaction((context) => {
      const ann = new Employee()
      context.rootMapping.set('ann', ann)
      const savepoint = context.transaction.savepoint()
      setMarks(bobOf(context), ['c'])
      setMarks(ann, ['c'])
      savepoint.rollback()
      expect([marksOf(bobOf(context)), marksOf(ann)]).toEqual([['a'], undefined])
      setMarks(ann, ['d'])
    })
    expect(await storedMarks(db)).toEqual(['a'])
  })

  test('are written in a transaction only', async () => {
    const db = await markedBob('a')
    await expect(db.view((context) => setMarks(bobOf(context), ['b']))).rejects.toMatchObject({
      code: 'PERSISTENCE_READ_ONLY_TRANSACTION',
    })
    await db.transaction((context) => {
      setMarks(bobOf(context), ['b'])
      expect(stateOf(bobOf(context))).toBe('changed')
    })
  })

  test('taken from an object that has none write nothing', async () => {
    const db = await open(aDatabaseWithBob())
    await db.transaction((context) => {
      setMarks(bobOf(context), [])
      expect(stateOf(bobOf(context))).toBe('upToDate')
    })
  })

  test('are others in the past, and come back by undo', async () => {
    const db = await markedBob('a')
    const { lastTid } = db
    await db.transaction((context) => setMarks(bobOf(context), ['b', 'c']))
    expect(await db.at(lastTid, (context) => marksOf(bobOf(context)))).toEqual(['a'])
    await db.undo(db.lastTid)
    expect(await storedMarks(db)).toEqual(['a'])
  })

  test('of an undone first time are none', async () => {
    const db = await markedBob('a')
    await db.undo(db.lastTid)
    expect(await storedMarks(db)).toBeUndefined()
    expect(await ofStoredBob(db, ({ title }) => title)).toBe('clerk')
  })

  test('go with clones, exports and imports', async () => {
    const db = await markedBob('a')
    expect(await db.view((context) => marksOf(cloneOf(bobOf(context))))).toEqual(['a'])
    const lines: string[] = []
    const to = new Writable({
      write(chunk, _, done) {
        lines.push(String(chunk))
        done()
      },
    })
    await db.view((context) => exportSubtree(bobOf(context), to))
    const other = await open(aDatabase())
    const { root } = await importObject(other, Readable.from([lines.join('')]))
    other.cacheClear()
    await other.view(({ connection }) => {
      const bob = connection.get(root) as Employee
      expect([marksOf(bob), bob.title]).toEqual([['a'], 'clerk'])
    })
  })

  test('stay when the class evolves, and are nothing that it evolves for', async () => {
    const db = await open(aDatabase())
    await db.transaction(({ rootMapping }) => {
      rootMapping.set(
        'old',
        anEarlierObject('spec.MarkedEvolved', { name: 'Ann Lee', __provides__: ['a'] }),
      )
      const same = new Unchanged()
      same.first = 'Bob'
      setMarks(same, ['b'])
      rootMapping.set('same', same)
    })
    db.cacheClear()
    await db.transaction(({ rootMapping }) => {
      const [old, same] = [rootMapping.get('old') as Evolved, rootMapping.get('same') as Unchanged]
      expect([old.first, marksOf(old)]).toEqual(['Ann', ['a']])
      expect([same.first, marksOf(same)]).toEqual(['Bob', ['b']])
      expect(Unchanged.calls).toBe(0)
      old.first = 'Anne'
    })
    db.cacheClear()
    await db.view(({ rootMapping }) => {
      const old = rootMapping.get('old') as Evolved
      expect([old.first, marksOf(old)]).toEqual(['Anne', ['a']])
    })
  })

  test('of an object whose class is missing can be read', async () => {
    const db = await open(aDatabase({ onMissingClass: 'broken' }))
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('gone', anEarlierObject('spec.MarkedGone', { a: 1, __provides__: ['x'] }))
    })
    db.cacheClear()
    await db.view(({ rootMapping }) => expect(marksOf(rootMapping.get('gone')!)).toEqual(['x']))
  })

  test('are merged when one side changed them, and conflict when both did', async () => {
    const db = await open(aDatabase())
    await db.transaction(({ rootMapping }) => {
      const meter = new Meter()
      setMarks(meter, ['a'])
      rootMapping.set('meter', meter)
    })
    const change =
      (by: number, marks?: readonly string[]) =>
      ({ rootMapping }: { rootMapping: { get(name: string): unknown } }) => {
        const meter = rootMapping.get('meter') as Meter
        meter.count += by
        if (marks !== undefined) setMarks(meter, marks)
      }
    const meterNow = () =>
      db.view(({ rootMapping }) => {
        const meter = rootMapping.get('meter') as Meter
        return [meter.count, marksOf(meter)]
      })
    await race(db, change(1, ['b']), change(10))
    expect(await meterNow()).toEqual([11, ['b']])
    await race(db, change(1), change(10, ['c']))
    expect(await meterNow()).toEqual([22, ['c']])
    await expect(race(db, change(1, ['d']), change(10, ['e']))).rejects.toMatchObject({
      code: 'STORAGE_CONFLICT',
    })
  })
})

type Work = Parameters<ObjectDatabase['transaction']>[0]

/** `late` has done its work when `early` begins, and commits after it, without a second try. */
async function race(db: ObjectDatabase, early: Work, late: Work): Promise<void> {
  let mayCommit = (): void => {}
  let worked = (): void => {}
  const earlyIsIn = new Promise<void>((resolve) => (mayCommit = resolve))
  const lateHasWorked = new Promise<void>((resolve) => (worked = resolve))
  const losing = db.transaction(
    async (context) => {
      await late(context)
      worked()
      await earlyIsIn
    },
    { tries: 1 },
  )
  const outcome = losing.catch((error: unknown) => ({ error }))
  await lateHasWorked
  await db.transaction(early)
  mayCommit()
  const failed = (await outcome) as { readonly error: unknown } | undefined
  if (failed !== undefined) throw failed.error
}
