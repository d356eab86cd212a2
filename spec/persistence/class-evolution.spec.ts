import { describe, expect, test } from '@jest/globals'
import {
  definePersistent,
  field,
  type ObjectDatabase,
  oidOf,
  Persistent,
  stored,
  WeakReference,
} from '../../lib/persistence/index.js'
import { aMemoryPlace, anEarlierObject, Employee } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

type Reads<T> = (object: T, db: ObjectDatabase) => unknown

/** Opens a database that an earlier version of the program left, and reads its one object. */
async function afterStoring<T extends Persistent>(
  earlier: Persistent,
  work: (db: ObjectDatabase, read: <R>(look: (object: T) => R) => Promise<R>) => Promise<void>,
): Promise<void> {
  const place = aMemoryPlace()
  const before = await place()
  await before.transaction(({ rootMapping }) => void rootMapping.set('it', earlier))
  await before.close()
  const db = await place()
  await work(db, (look) => {
    db.cacheClear()
    return db.view(({ rootMapping }) => look(rootMapping.get('it') as T))
  })
  await db.close()
}

/** The stored name and fields of the record of `it`. */
function rowOfIt(db: ObjectDatabase) {
  return db.view(({ connection, rootMapping }) => {
    const record = connection.loadRecord(oidOf(rootMapping.get('it')!)!)
    const { name, fields } = connection.classes.rowOf(record!.classId)!
    return { name, fields }
  })
}

@stored('spec.Renamed', { formerly: ['spec.Once', 'spec.Before'] })
class Renamed extends Persistent {
  @field accessor title = ''
}

@stored('spec.Person')
class Person extends Persistent {
  @field({ formerly: ['phoneNumbers', 'numbers'] }) accessor phones: string[] = []
  @field({ formerly: ['rank'], default: 1 }) accessor grade = 5
  @field accessor added: string | undefined = undefined
}

@stored('spec.Split')
class Split extends Persistent {
  @field accessor first = ''
  @field accessor last = ''
  @field accessor boss: Employee | undefined = undefined
  @field({ default: 'none' }) accessor note = ''

  static evolve({ name, links }: { name: string; links: unknown[] }) {
    const [first, last] = name.split(' ')
    return { first, last, boss: links[0] }
  }
}

/** Evolves into what `result` gives. */
@stored('spec.Evolving')
class Evolving extends Persistent {
  @field accessor value: unknown = undefined
  static result: (old: Readonly<Record<string, unknown>>) => Record<string, unknown> = () => ({})

  static evolve(old: Readonly<Record<string, unknown>>) {
    return Evolving.result(old)
  }
}

describe('A class with a new name', () => {
  test.each(['spec.Once', 'spec.Before'])(
    'finds what was stored as %s, and writes it under the present name',
    async (former) => {
      await afterStoring<Renamed>(anEarlierObject(former, { title: 'clerk' }), async (db, read) => {
        expect(await read((it) => [it instanceof Renamed, it.title])).toEqual([true, 'clerk'])
        expect(await rowOfIt(db)).toEqual({ name: former, fields: ['title'] })
        await db.transaction(({ rootMapping }) => {
          ;(rootMapping.get('it') as Renamed).title = 'boss'
        })
        expect(await rowOfIt(db)).toEqual({ name: 'spec.Renamed', fields: ['title'] })
        expect(await read((it) => it.title)).toBe('boss')
      })
    },
  )
})

describe('A field with a new name', () => {
  test('reads what was stored under the former one', async () => {
    const earlier = anEarlierObject('spec.Person', { numbers: ['1'], rank: 3 })
    await afterStoring<Person>(earlier, async (db, read) => {
      expect(await read((it) => [[...it.phones], it.grade, it.added])).toEqual([
        ['1'],
        3,
        undefined,
      ])
      await db.transaction(({ rootMapping }) => {
        ;(rootMapping.get('it') as Person).phones.push('2')
      })
      expect(await rowOfIt(db)).toEqual({
        name: 'spec.Person',
        fields: ['phones', 'grade', 'added'],
      })
      expect(await read((it) => [[...it.phones], it.grade])).toEqual([['1', '2'], 3])
    })
  })

  test('prefers its present name, then the former ones in their order', async () => {
    const earlier = anEarlierObject('spec.Person', { numbers: ['old'], phoneNumbers: ['newer'] })
    await afterStoring<Person>(earlier, async (_, read) => {
      expect(await read((it) => [[...it.phones], it.grade])).toEqual([['newer'], 1])
    })
  })

  test('cannot have had the name of another field', async () => {
    class Confused extends Persistent {
      declare one: string
      declare other: string
    }
    const define = () => {
      definePersistent(Confused, {
        name: 'spec.Confused',
        fields: ['one', 'other'],
        formerFields: { one: ['other'] },
      })
      return new Confused()
    }
    expect(await codeThrownBy(define)).toBe('PERSISTENCE_INVALID_CLASS')
  })
})

describe('A field that is gone', () => {
  test('is kept in the record, until the class evolves it away', async () => {
    const earlier = anEarlierObject('spec.Person', { phones: [], gone: 'kept' })
    await afterStoring<Person>(earlier, async (db) => {
      await db.transaction(({ rootMapping }) => {
        ;(rootMapping.get('it') as Person).grade = 2
      })
      expect((await rowOfIt(db)).fields).toEqual(['phones', 'grade', 'added', 'gone'])
    })
  })
})

describe('A class that evolves its objects', () => {
  test('makes the present fields of the earlier ones, objects and all, one by one', async () => {
    const boss = new Employee({ title: 'boss' })
    const earlier = anEarlierObject('spec.Split', { name: 'Bob Roe', links: [boss], gone: 1 })
    await afterStoring<Split>(earlier, async (db, read) => {
      const look: Reads<Split> = (it) => [it.first, it.last, it.boss?.title, it.note]
      const { lastTid } = db
      expect(await read((it) => look(it, db))).toEqual(['Bob', 'Roe', 'boss', 'none'])
      expect(db.lastTid).toBe(lastTid) // nothing was written
      await db.transaction(({ rootMapping }) => {
        ;(rootMapping.get('it') as Split).note = 'seen'
      })
      expect(await rowOfIt(db)).toEqual({
        name: 'spec.Split',
        fields: ['first', 'last', 'boss', 'note'],
      })
      expect(await read((it) => look(it, db))).toEqual(['Bob', 'Roe', 'boss', 'seen'])
    })
  })

  test('sees frozen values', async () => {
    const earlier = anEarlierObject('spec.Evolving', { list: [[1]], weak: undefined })
    Object.assign(earlier, { weak: new WeakReference(new Employee({ title: 'weak' })) })
    await afterStoring<Evolving>(earlier, async (_, read) => {
      Evolving.result = (old) => {
        const { list } = old as { list: number[][] }
        expect([old, list, list[0]].every(Object.isFrozen)).toBe(true)
        return { value: { list, again: list, weak: old.weak } }
      }
      expect(
        await read((it) => {
          const { list, weak } = it.value as { list: number[][]; weak: WeakReference<Employee> }
          return [list[0]?.[0], weak.deref()?.title]
        }),
      ).toEqual([1, 'weak'])
    })
  })

  test.each<[string, () => Record<string, unknown>]>([
    [
      'throws',
      () => {
        throw new Error('no idea')
      },
    ],
    ['names no field', () => ({ unknown: 1 })],
    ['gives what cannot be stored', () => ({ value: () => 1 })],
    ['makes an object', () => ({ value: new Employee() })],
  ])('is named with the object when it %s', async (_, result) => {
    await afterStoring<Evolving>(anEarlierObject('spec.Evolving', { a: 1 }), async (_db, read) => {
      Evolving.result = result
      const error = await errorOf(() => read((it) => it.value))
      expect(error).toMatchObject({
        code: 'PERSISTENCE_EVOLUTION_FAILED',
        details: { storedName: 'spec.Evolving' },
      })
      expect(error.message).toContain('Evolving.evolve failed')
    })
  })
})
