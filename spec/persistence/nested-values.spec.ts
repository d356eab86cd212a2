import { describe, expect, test } from '@jest/globals'
import { plain } from '../../lib/persistence/index.js'
import {
  aDatabase,
  aDatabaseWithBob,
  bobOf,
  Employee,
  ofStoredBob,
} from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

type Row = { n: number }

describe('Nested value', () => {
  test('is the same thing each time it is read', async () => {
    const db = await aDatabaseWithBob({
      phones: ['1'],
      data: { deep: [new Map([[1, new Set([2])]])] },
    })
    await db.transaction((context) => {
      const bob = bobOf(context)
      const data = bob.data as { deep: Map<number, Set<number>>[] }
      expect(bob.phones).toBe(bob.phones)
      expect(data.deep[0]!.get(1)).toBe(data.deep[0]!.get(1))
      bob.phones.push('2')
      data.deep[0]!.get(1)!.add(3)
      expect(bob.phones).toBe(bob.phones)
      expect(bob.data).toBe(data)
      expect((bob.data as typeof data).deep[0]!.get(1)).toBe(data.deep[0]!.get(1))
    })
  })

  const changes: [string, unknown, (value: never) => void, unknown][] = [
    ['a push', ['a'], (v: string[]) => void v.push('b', 'c'), ['a', 'b', 'c']],
    ['a splice', [1, 2, 3, 4], (v: number[]) => void v.splice(1, 2, 9, 9, 9), [1, 9, 9, 9, 4]],
    ['a splice to the end', [1, 2, 3], (v: number[]) => void v.splice(1), [1]],
    ['a splice of nothing', [1, 2], (v: number[]) => void Reflect.apply(v.splice, v, []), [1, 2]],
    ['a sort', [3, 1, 2], (v: number[]) => void v.sort((a, b) => b - a), [3, 2, 1]],
    ['a sort without comparison', ['b', 'a'], (v: string[]) => void v.sort(), ['a', 'b']],
    ['a reverse', [1, 2, 3], (v: number[]) => void v.reverse(), [3, 2, 1]],
    ['a shift', [1, 2], (v: number[]) => void v.shift(), [2]],
    ['an unshift', [2], (v: number[]) => void v.unshift(0, 1), [0, 1, 2]],
    ['a pop', [1, 2], (v: number[]) => void v.pop(), [1]],
    ['a fill', [1, 2], (v: number[]) => void v.fill(7), [7, 7]],
    [
      'a shorter length',
      [1, 2, 3],
      (v: number[]) => {
        v.length = 1
      },
      [1],
    ],
    [
      'an index beyond the end',
      [1],
      (v: number[]) => {
        v[2] = 3
      },
      [1, undefined, 3],
    ],
    [
      'a property',
      { a: 1 },
      (v: Record<string, number>) => {
        v.b = 2
      },
      { a: 1, b: 2 },
    ],
    ['a deleted property', { a: 1, b: 2 }, (v: { a?: number }) => void delete v.a, { b: 2 }],
    [
      'Object.assign',
      { a: 1 },
      (v: object) => void Object.assign(v, { a: 2, c: [3] }),
      { a: 2, c: [3] },
    ],
    [
      'a deep change',
      { a: [{ b: { c: 1 } }] },
      (v: { a: [{ b: { c: number } }] }) => void v.a[0].b.c++,
      { a: [{ b: { c: 2 } }] },
    ],
    [
      'a Map entry',
      new Map([['a', 1]]),
      (v: Map<string, number>) => void v.set('b', 2),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    ],
    [
      'a deleted Map entry',
      new Map([['a', 1]]),
      (v: Map<string, number>) => void v.delete('a'),
      new Map(),
    ],
    ['a cleared Map', new Map([['a', 1]]), (v: Map<string, number>) => void v.clear(), new Map()],
    [
      'a value in a Map',
      new Map([['a', { n: 1 }]]),
      (v: Map<string, Row>) => void v.get('a')!.n++,
      new Map([['a', { n: 2 }]]),
    ],
    ['a Set member', new Set([1]), (v: Set<number>) => void v.add(2), new Set([1, 2])],
    ['a deleted Set member', new Set([1, 2]), (v: Set<number>) => void v.delete(1), new Set([2])],
    ['a cleared Set', new Set([1]), (v: Set<number>) => void v.clear(), new Set()],
    [
      'an object in a Set',
      new Set([{ n: 1 }]),
      (v: Set<Row>) => void [...v][0]!.n++,
      new Set([{ n: 2 }]),
    ],
    ['a Date', new Date(0), (v: Date) => void v.setTime(5), new Date(5)],
    [
      'a Date within',
      { at: [new Date(0)] },
      (v: { at: Date[] }) => void v.at[0]!.setTime(5),
      { at: [new Date(5)] },
    ],
    [
      'a Buffer',
      Buffer.from('ab'),
      (v: Buffer) => {
        v[0] = 0x63
      },
      Buffer.from('cb'),
    ],
    [
      'a Uint8Array',
      new Uint8Array([1, 2]),
      (v: Uint8Array) => void v.fill(9),
      new Uint8Array([9, 9]),
    ],
    [
      'an ArrayBuffer',
      new ArrayBuffer(2),
      (v: ArrayBuffer) => {
        new Uint8Array(v)[1] = 1
      },
      new Uint8Array([0, 1]).buffer,
    ],
  ]
  test.each(changes)('%s is noticed and stored', async (_, before, change, after) => {
    const db = await aDatabaseWithBob({ data: before })
    await db.transaction((context) => change(bobOf(context).data as never))
    expect(await ofStoredBob(db, (bob) => plain(bob.data))).toEqual(after)
  })

  test.each(changes)('%s that is aborted leaves no trace', async (_, before, change) => {
    const db = await aDatabaseWithBob({ data: before })
    const aborted = db.transaction((context) => {
      change(bobOf(context).data as never)
      throw new Error('no')
    })
    await expect(aborted).rejects.toThrow('no')
    expect(await db.view((context) => plain(bobOf(context).data))).toEqual(before)
    expect(await db.transaction((context) => plain(bobOf(context).data))).toEqual(before)
    expect(await ofStoredBob(db, (bob) => plain(bob.data))).toEqual(before)
  })

  test.each<[string, (rows: Row[]) => void]>([
    ['reverse', (rows) => void rows.reverse()],
    ['sort', (rows) => void rows.sort((a, b) => b.n - a.n)],
    ['unshift', (rows) => void rows.unshift({ n: 0 })],
    ['splice', (rows) => void rows.splice(0, 0, { n: 0 }, { n: 0 })],
    ['shift', (rows) => void rows.shift()],
  ])('an item held by the program is still stored after %s moved it', async (_, move) => {
    const db = await aDatabaseWithBob({ data: [{ n: 1 }, { n: 2 }, { n: 3 }] })
    await db.transaction((context) => {
      const rows = bobOf(context).data as Row[]
      const held = rows[1]!
      move(rows)
      held.n = 99
      expect(rows).toContain(held)
    })
    const numbers = await ofStoredBob(db, (bob) => (bob.data as Row[]).map(({ n }) => n))
    expect(numbers).toContain(99)
    expect(numbers).not.toContain(2)
  })

  test('a value assigned to a field is copied, and neither frozen nor tracked', async () => {
    const db = await aDatabaseWithBob()
    const phones = ['1']
    await db.transaction((context) => {
      bobOf(context).phones = phones
      phones.push('mine')
      expect([...bobOf(context).phones]).toEqual(['1'])
    })
    phones.push('still mine')
    expect(await ofStoredBob(db, (bob) => [...bob.phones])).toEqual(['1'])
  })

  test('a value written into a nested one is copied', async () => {
    const db = await aDatabaseWithBob({ data: { list: [], map: new Map(), set: new Set() } })
    const row = { n: 1 }
    await db.transaction((context) => {
      const data = bobOf(context).data as {
        list: Row[]
        map: Map<string, Row>
        set: Set<Row>
        own?: Row
      }
      data.own = row
      data.list.push(row)
      data.map.set('row', row)
      data.set.add(row)
      row.n = 2
      expect(data.own).toBe(data.own)
    })
    expect(await ofStoredBob(db, (bob) => plain(bob.data))).toEqual({
      list: [{ n: 1 }],
      map: new Map([['row', { n: 1 }]]),
      set: new Set([{ n: 1 }]),
      own: { n: 1 },
    })
  })

  test('a part assigned to another place is a copy there', async () => {
    const db = await aDatabaseWithBob({ data: { a: { n: 1 } } })
    await db.transaction((context) => {
      const data = bobOf(context).data as { a: Row; b?: Row }
      data.b = data.a
      data.a.n = 2
    })
    expect(await ofStoredBob(db, (bob) => bob.data)).toEqual({ a: { n: 2 }, b: { n: 1 } })
  })

  test('looks like what it stands for', async () => {
    const db = await aDatabaseWithBob({
      data: { array: [1], map: new Map([[1, 2]]), set: new Set([1]), plain: { a: 1 } },
    })
    await db.transaction((context) => {
      const data = bobOf(context).data as {
        array: number[]
        map: Map<number, number>
        set: Set<number>
        plain: Record<string, number>
      }
      expect(Array.isArray(data.array)).toBe(true)
      expect(data.map).toBeInstanceOf(Map)
      expect(data.set).toBeInstanceOf(Set)
      expect(Object.prototype.toString.call(data.map)).toBe('[object Map]')
      expect(JSON.stringify(data.array)).toBe('[1]')
      expect({ ...data.plain }).toEqual({ a: 1 })
      expect(Object.keys(data.plain)).toEqual(['a'])
      expect('a' in data.plain).toBe(true)
      expect([...data.array, ...data.set, ...data.map.values()]).toEqual([1, 1, 2])
      expect([...data.map.entries()]).toEqual([[1, 2]])
      expect([...data.set.entries()]).toEqual([[1, 1]])
      expect([data.map.size, data.set.size, data.array.length]).toEqual([1, 1, 1])
    })
  })

  test('reading alone stores nothing', async () => {
    const db = await aDatabaseWithBob({
      data: { rows: [{ n: 1 }], at: new Date(0), bytes: Buffer.from('a') },
    })
    const before = db.lastTid
    await db.transaction((context) => {
      const data = bobOf(context).data as { rows: Row[]; at: Date; bytes: Buffer }
      expect([data.rows[0]!.n, data.at.getTime(), data.bytes.length]).toEqual([1, 0, 1])
    })
    expect(db.lastTid).toBe(before)
  })

  test('persistent objects inside are the objects of the connection', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const ann = new Employee({ title: 'ann' })
      rootMapping.set(
        'bob',
        new Employee({
          boss: ann,
          data: { list: [ann], map: new Map([['a', ann]]), set: new Set([ann]) },
        }),
      )
    })
    await db.transaction((context) => {
      const bob = bobOf(context)
      const data = bob.data as { list: Employee[]; map: Map<string, Employee>; set: Set<Employee> }
      expect(data.list[0]).toBe(bob.boss)
      expect(data.map.get('a')).toBe(bob.boss)
      expect(data.set.has(bob.boss!)).toBe(true)
      data.list.push(new Employee({ title: 'carl' }))
      data.list[0]!.title = 'anna'
    })
    const titles = await ofStoredBob(db, (bob) =>
      (bob.data as { list: Employee[] }).list.map(({ title }) => title),
    )
    expect(titles).toEqual(['anna', 'carl'])
  })

  test('is read as it was, and not written, after its transaction', async () => {
    const db = await aDatabaseWithBob({ phones: ['1'] })
    const phones = await db.transaction((context) => {
      bobOf(context).phones.push('2')
      return bobOf(context).phones
    })
    expect([...phones]).toEqual(['1', '2'])
    expect(await codeThrownBy(() => phones.push('3'))).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
    expect(await codeThrownBy(() => phones.sort())).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
    expect([...phones]).toEqual(['1', '2'])
  })

  test('is not written in a later transaction either, and the later one commits nothing of it', async () => {
    const db = await aDatabaseWithBob({ phones: ['1'], data: { n: 1 } })
    const held = await db.transaction((context) => ({
      phones: bobOf(context).phones,
      data: bobOf(context).data as Row,
    }))
    const error = await errorOf(() =>
      db.transaction(() => {
        held.data.n = 9
      }),
    )
    expect(error).toMatchObject({ code: 'PERSISTENCE_OUTSIDE_TRANSACTION' })
    expect(error.message).toMatch(/data of spec\.Employee.*oid 0000000000000001.*Read it again/)
    await db.transaction(async () => {
      expect(await codeThrownBy(() => held.phones.push('lost?'))).toBe(
        'PERSISTENCE_OUTSIDE_TRANSACTION',
      )
      expect(
        await codeThrownBy(() => {
          held.data.n = 9
        }),
      ).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
    })
    expect(await ofStoredBob(db, (bob) => [[...bob.phones], bob.data])).toEqual([['1'], { n: 1 }])
  })

  test('is not written once its field was assigned anew', async () => {
    const db = await aDatabaseWithBob({ phones: ['1'] })
    await db.transaction(async (context) => {
      const bob = bobOf(context)
      const before = bob.phones
      bob.phones = ['2']
      expect(await codeThrownBy(() => before.push('3'))).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
      expect([...bob.phones]).toEqual(['2'])
    })
  })

  test('a write in db.view throws, names the object where a proxy can, and changes nothing', async () => {
    const db = await aDatabaseWithBob({
      phones: ['1'],
      data: { map: new Map([['a', 1]]), boss: new Employee() },
    })
    await db.view(async (context) => {
      const bob = bobOf(context)
      const data = bob.data as { map: Map<string, number>; own?: number }
      expect(await codeThrownBy(() => data.map.set('b', 2))).toBe(
        'PERSISTENCE_READ_ONLY_TRANSACTION',
      )
      expect(
        await codeThrownBy(() => {
          data.own = 1
        }),
      ).toBe('PERSISTENCE_READ_ONLY_TRANSACTION')
      // Plain data is handed out as the frozen state itself.
      expect(() => bob.phones.push('2')).toThrow(TypeError)
    })
    expect(await ofStoredBob(db, (bob) => [...bob.phones])).toEqual(['1'])
  })

  test('what cannot be stored is refused at the write and leaves the old value', async () => {
    const db = await aDatabaseWithBob({
      phones: ['1'],
      data: { list: [1], map: new Map([['a', 1]]), set: new Set([1]) },
    })
    await db.transaction(async (context) => {
      const bob = bobOf(context)
      const data = bob.data as {
        list: unknown[]
        map: Map<unknown, unknown>
        set: Set<unknown>
        own?: unknown
      }
      const never = () => undefined
      const refused: (() => unknown)[] = [
        () => data.list.push('kept out', never),
        () => data.list.unshift('kept out', never),
        () => data.list.splice(0, 1, 'kept out', never),
        () => {
          data.list[0] = never
        },
        () => Object.assign(data.list, { name: 'no index' }),
        () => Object.assign(data.list, { '-1': 'no index' }),
        () => data.map.set('a', never),
        () => data.map.set({}, 1),
        () => data.map.set(Symbol('key'), 1),
        () => data.set.add(Symbol('member')),
        () => {
          data.own = new URL('https://example.com')
        },
        () => Reflect.set(data, '\ud800', 1),
        () => Reflect.set(data, '__proto__', { polluted: true }),
        () => Reflect.set(data, Symbol('name'), 1),
      ]
      for (const write of refused) {
        expect(await codeThrownBy(write)).toBe('PERSISTENCE_UNSTORABLE_VALUE')
      }
      expect(plain(bob.data)).toEqual({ list: [1], map: new Map([['a', 1]]), set: new Set([1]) })
      expect((bob.data as { polluted?: true }).polluted).toBeUndefined()
    })
    expect(db.lastTid).toBe(2)
  })
})
