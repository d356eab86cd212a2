import { describe, expect, test } from '@jest/globals'
import {
  BTree,
  cloneOf,
  field,
  oidOf,
  Persistent,
  plain,
  stateOf,
  stored,
  WeakReference,
} from '../../lib/persistence/index.js'
import {
  aDatabase,
  aDatabaseWithBob,
  aMemoryPlace,
  anEarlierObject,
  bobOf,
  Employee,
  Office,
} from '../support/persistence-builders.js'

@stored('spec.Counted')
class Counted extends Persistent {
  @field accessor text = ''
  loaded = 0
  getState() {
    return { text: `<${this.text}>` }
  }
  setState({ text }: { text: string }) {
    this.text = text.slice(1, -1)
    this.loaded = this.text.length
  }
}

describe('Clone', () => {
  test('has copies of all values, and of all objects they lead to, one for each', async () => {
    const db = await aDatabaseWithBob({ title: 'Bob', phones: ['1'] })
    await db.transaction((context) => {
      const bob = bobOf(context)
      bob.boss = new Employee({ title: 'boss' })
      bob.data = {
        boss: bob.boss,
        list: [[bob.boss]],
        map: new Map([['b', bob.boss]]),
        set: new Set([bob.boss]),
        at: new Date(5),
        bytes: Buffer.from('a'),
      }
    })
    await db.transaction((context) => {
      const bob = bobOf(context)
      const clone = cloneOf(bob)
      expect([clone.constructor, oidOf(clone), stateOf(clone)]).toEqual([
        Employee,
        undefined,
        'unsaved',
      ])
      const { boss } = clone
      expect([boss === bob.boss, boss?.title]).toEqual([false, 'boss'])
      const data = plain(clone.data) as Record<string, unknown>
      expect(data).toEqual({
        boss,
        list: [[boss]],
        map: new Map([['b', boss]]),
        set: new Set([boss]),
        at: new Date(5),
        bytes: Buffer.from('a'),
      })
      clone.phones.push('2')
      expect([[...bob.phones], [...clone.phones]]).toEqual([['1'], ['1', '2']])
      context.rootMapping.set('clone', clone)
    })
    db.cacheClear()
    await db.view((context) => {
      const clone = context.rootMapping.get('clone') as Employee
      expect([clone.title, [...clone.phones], clone.boss?.title]).toEqual([
        'Bob',
        ['1', '2'],
        'boss',
      ])
      expect((clone.data as { list: unknown[][] }).list[0]?.[0]).toBe(clone.boss)
      expect(oidOf(clone.boss!)).not.toBe(oidOf(bobOf(context).boss!))
    })
    await db.close()
  })

  test('is of the object as the transaction sees it, changes and all', async () => {
    const db = await aDatabaseWithBob({ phones: ['1'] })
    await db.transaction((context) => {
      const bob = bobOf(context)
      bob.phones.push('2')
      bob.title = 'changed'
      expect([...cloneOf(bob).phones]).toEqual(['1', '2'])
      expect(cloneOf(bob).title).toBe('changed')
    })
    const unsaved = new Employee({ title: 'new', boss: new Employee({ title: 'boss' }) })
    expect(cloneOf(unsaved).boss?.title).toBe('boss')
    await db.close()
  })

  test('of a cycle is a cycle', () => {
    const bob = new Employee()
    bob.boss = bob
    const clone = cloneOf(bob)
    expect([clone.boss === clone, clone === bob]).toEqual([true, false])
  })

  test('has the fields and the entries of a tree', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const office = new Office()
      office.city = 'Oslo'
      for (let n = 0; n < 200; n++) office.set(`k${n}`, n % 2 ? n : new Employee({ title: `${n}` }))
      rootMapping.set('office', office)
    })
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('clone', cloneOf(rootMapping.get('office') as Office))
    })
    db.cacheClear()
    await db.view(({ rootMapping }) => {
      const [office, clone] = ['office', 'clone'].map((name) => rootMapping.get(name) as Office)
      expect([clone!.city, clone!.size, clone!.get('k7')]).toEqual(['Oslo', 200, 7])
      expect([...clone!.keys()]).toEqual([...office!.keys()])
      const [one, other] = [office!.get('k8') as Employee, clone!.get('k8') as Employee]
      expect([other.title, one === other]).toEqual(['8', false])
    })
    await db.close()
  })

  test('keeps or replaces what the hook says', () => {
    const [shared, secret, nobody] = ['shared', 'secret', 'nobody'].map(
      (title) => new Employee({ title }),
    ) as [Employee, Employee, Employee]
    const asked: unknown[] = []
    const bob = new Employee({ data: [shared, secret, shared, new Employee({ title: 'own' })] })
    const clone = cloneOf(bob, {
      hook: (object, root) => {
        expect(root).toBe(bob)
        asked.push((object as Employee).title)
        if (object === shared) return 'keep'
        return object === secret ? nobody : 'clone'
      },
    })
    const data = clone.data as Employee[]
    expect([data[0], data[1], data[2]]).toEqual([shared, nobody, shared])
    expect([data[0] === shared, data[1] === nobody]).toEqual([true, true])
    expect(data[3]).not.toBe((bob.data as Employee[])[3])
    expect(asked).toEqual(['shared', 'secret', 'own'])
  })

  test('tells of each object cloned, when all are complete', () => {
    const bob = new Employee({ title: 'Bob', boss: new Employee({ title: 'boss' }) })
    const told: unknown[] = []
    cloneOf(bob, {
      onCloned: (clone, original) => {
        told.push((clone as Employee).title, clone === original)
      },
    })
    expect(told).toEqual(['Bob', false, 'boss', false])
  })

  test('leads weakly to the clone of what was cloned, and else where the original leads', () => {
    const other = new Employee()
    const boss = new Employee()
    const bob = new Employee()
    // The weak references come first: what they lead to is cloned later.
    bob.title = 'Bob'
    bob.data = [new WeakReference(boss), new WeakReference(other), new WeakReference(bob)]
    const tree = new BTree<string, unknown>().set('a', new WeakReference(boss)).set('b', bob)
    bob.boss = boss
    const clone = cloneOf(tree)
    const bobs = clone.get('b') as Employee
    const data = bobs.data as WeakReference[]
    expect(data[0]!.deref() === bobs.boss).toBe(true)
    expect(data[1]!.deref() === other).toBe(true)
    expect(data[2]!.deref() === bobs).toBe(true)
    expect((clone.get('a') as WeakReference).deref() === bobs.boss).toBe(true)
  })

  test('is made through getState and setState, where the class has them', () => {
    const original = new Counted()
    original.text = 'abc'
    const clone = cloneOf(original)
    expect([clone.text, clone.loaded, original.loaded]).toEqual(['abc', 3, 0])
  })

  test('of a broken object is broken in the same way', async () => {
    const place = aMemoryPlace()
    const before = await place()
    await before.transaction(({ rootMapping }) => {
      rootMapping.set('it', anEarlierObject('spec.GoneClone', { title: 'x', __tree__: undefined }))
    })
    await before.close()
    const db = await place({ onMissingClass: 'broken' })
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('clone', cloneOf(rootMapping.get('it')!))
    })
    db.cacheClear()
    await db.view(({ connection, rootMapping }) => {
      const [one, other] = ['it', 'clone'].map((name) =>
        connection.loadRecord(oidOf(rootMapping.get(name)!)!),
      )
      expect([other!.classId, other!.state]).toEqual([one!.classId, one!.state])
    })
    await db.close()
  })

  test('leaves out what the hook omits: entries of trees, and undefined elsewhere', () => {
    const [kept, omitted] = [new Employee({ title: 'kept' }), new Employee({ title: 'omitted' })]
    const tree = new BTree<string, unknown>()
    tree.set('kept', kept).set('omitted', omitted).set('undefined', undefined)
    const bob = new Employee()
    bob.boss = omitted
    bob.data = { list: [kept, omitted], tree }
    const clone = cloneOf(bob, { hook: (object) => (object === omitted ? 'omit' : 'clone') })
    const { list, tree: copy } = clone.data as { list: Employee[]; tree: BTree<string, Employee> }
    expect(clone.boss).toBeUndefined()
    expect(list.map((one) => one?.title)).toEqual(['kept', undefined])
    expect([...copy.keys()]).toEqual(['kept', 'undefined'])
  })
})
