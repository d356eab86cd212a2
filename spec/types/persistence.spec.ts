import { describe, test } from '@jest/globals'
import { expectTypeOf } from 'expect-type'
import {
  BTree,
  type Connection,
  connectionOf,
  definePersistent,
  field,
  isPersistent,
  type Key,
  ObjectDatabase,
  type ObjectState,
  oidOf,
  Persistent,
  plain,
  serialOf,
  stateOf,
  stored,
  type TransactionContext,
  WeakReference,
} from '../../lib/persistence/index.js'
import type { Oid, Tid } from '../../lib/storage/index.js'

/** Checked by the compiler, never run. */
function neverRun(_body: () => unknown): void {}

@stored('types.Employee')
class Employee extends Persistent {
  @field accessor title = ''
  @field accessor phones: string[] = []
  @field accessor boss: Employee | undefined = undefined
  @field accessor seen = new Map<string, Set<Date>>()
  @field({ default: 0 }) accessor grade = 0
  @field({ default: 0 }) accessor rank: number | undefined = undefined
  @field({ default: [] }) accessor tags: string[] = []
  @field({ default: 'open' }) accessor state: 'open' | 'closed' = 'open'
  @field({ default: { a: 1 } }) accessor plain: { a: number; b?: string } = { a: 2 }
  @field({ default: null }) accessor nothing: string | null = ''
  @field({ formerly: ['numbers'] }) accessor renamed: string[] = []
  @field({ formerly: ['old'], default: 1 }) accessor both = 2
  @field accessor friend: WeakReference<Employee> | undefined = undefined
}

describe('Persistence types', () => {
  test('fields have the types of their accessors', () => {
    expectTypeOf<Employee['title']>().toEqualTypeOf<string>()
    expectTypeOf<Employee['grade']>().toEqualTypeOf<number>()
    expectTypeOf<Employee['tags']>().toEqualTypeOf<string[]>()
    expectTypeOf<Employee['state']>().toEqualTypeOf<'open' | 'closed'>()
    expectTypeOf<Employee['renamed']>().toEqualTypeOf<string[]>()
    expectTypeOf<Employee['both']>().toEqualTypeOf<number>()
    expectTypeOf(new WeakReference(new Employee()).deref()).toEqualTypeOf<Employee | undefined>()
    expectTypeOf<Employee['boss']>().toEqualTypeOf<Employee | undefined>()
    expectTypeOf<Employee['seen']>().toEqualTypeOf<Map<string, Set<Date>>>()
  })

  test('a default fits its field, and a field stands in a persistent class', () => {
    neverRun(() => {
      class Wrong extends Persistent {
        // @ts-expect-error a text is no number
        @field({ default: 'zero' }) accessor n = 0
        // @ts-expect-error no such state
        @field({ default: 'lost' }) accessor state: 'open' | 'closed' = 'open'
        // @ts-expect-error stands before an accessor only
        @field title = ''
      }
      class Plain {
        // @ts-expect-error not persistent
        @field accessor n = 0
      }
      return [Wrong, Plain]
    })
  })

  test('classes are named, and stay what they are', () => {
    neverRun(() => {
      class Late extends Persistent {
        constructor(readonly_: string) {
          super()
          void readonly_
        }
      }
      expectTypeOf(definePersistent(Late, { name: 'x', fields: { a: 1 } })).toEqualTypeOf<
        typeof Late
      >()
      expectTypeOf(definePersistent(Late, { name: 'x', fields: ['a'] })).toEqualTypeOf<
        typeof Late
      >()
      // @ts-expect-error not persistent
      definePersistent(class Other {}, { name: 'x', fields: [] })
      // @ts-expect-error a name is needed
      definePersistent(Late, { fields: [] })
    })
  })

  test('objects tell what they are', () => {
    neverRun(() => {
      const employee = new Employee()
      expectTypeOf(oidOf(employee)).toEqualTypeOf<Oid | undefined>()
      expectTypeOf(serialOf(employee)).toEqualTypeOf<Tid>()
      expectTypeOf(stateOf(employee)).toEqualTypeOf<ObjectState>()
      expectTypeOf(connectionOf(employee)).toEqualTypeOf<Connection | undefined>()
      expectTypeOf(plain(employee.phones)).toEqualTypeOf<string[]>()
      const object: object = employee
      if (isPersistent(object)) expectTypeOf(object).toEqualTypeOf<Persistent>()
    })
  })

  test('trees have keys and values of their own', () => {
    neverRun(() => {
      const tree = new BTree<string, Employee>()
      expectTypeOf(tree.get('a')).toEqualTypeOf<Employee | undefined>()
      expectTypeOf(tree.minKey()).toEqualTypeOf<string | undefined>()
      expectTypeOf([...tree]).toEqualTypeOf<[string, Employee][]>()
      expectTypeOf(tree.set('a', new Employee())).toEqualTypeOf<BTree<string, Employee>>()
      // @ts-expect-error keys are texts
      tree.set(1, new Employee())
      // @ts-expect-error a Date is no key
      new BTree<Date, number>()
      expectTypeOf<readonly [string, bigint]>().toExtend<Key>()
    })
  })

  test('transactions give what their function does', () => {
    neverRun(async () => {
      const db = await ObjectDatabase.open('./data')
      expectTypeOf(db.transaction(() => 5)).toEqualTypeOf<Promise<number>>()
      expectTypeOf(db.transaction(async () => 'x')).toEqualTypeOf<Promise<string>>()
      expectTypeOf(db.view(async ({ rootMapping }) => rootMapping.size)).toEqualTypeOf<
        Promise<number>
      >()
      await db.transaction((context) => expectTypeOf(context).toEqualTypeOf<TransactionContext>())
      expectTypeOf(db).toExtend<AsyncDisposable>()
    })
  })
})
