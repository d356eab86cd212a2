import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { BTree, field, ObjectDatabase, Persistent, stored } from '../../lib/persistence/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'

@stored('inspect.Person')
class Person extends Persistent {
  @field accessor title = 'boss'
  @field accessor phones: string[] = ['1']
  @field accessor seen = new Date(0)
  @field accessor tags = new Map([['a', { since: new Date(0) }]])
  @field accessor friend: Person | undefined
  volatile = 1
}

const FIELDS =
  "title: 'boss', phones: [ '1' ], seen: 1970-01-01T00:00:00.000Z, " +
  "tags: Map(1) { 'a' => { since: 1970-01-01T00:00:00.000Z } }"

let db: ObjectDatabase

beforeEach(async () => {
  db = await ObjectDatabase.open('memory', { storage: createMemoryStorage() })
  await db.transaction(({ rootMapping }) => {
    const [one, other] = [new Person(), new Person()]
    one.friend = other
    rootMapping.set('one', one)
    rootMapping.set('tree', BTree.from([['a', 1]]))
  })
})

afterEach(() => db.close())

const print = (value: unknown): string =>
  inspect(value, { breakLength: Number.POSITIVE_INFINITY, compact: 10 })

describe('What console.log shows', () => {
  test('of a stored object are its fields, and of those inside what they are', async () => {
    await db.view(({ rootMapping, connection }) => {
      const before = connection.counters.loads
      expect(print(rootMapping.get('one'))).toMatch(
        `inspect.Person (oid 0000000000000001) { ${FIELDS}, friend: [inspect.Person (oid 00`,
      )
      expect(connection.counters.loads - before).toBeLessThanOrEqual(2)
    })
  })

  test('of a new object also what is not stored', () => {
    expect(print(new Person())).toBe(
      `inspect.Person (not added yet) { volatile: 1, ${FIELDS}, friend: undefined }`,
    )
  })

  test('of a tree is its size', async () => {
    const shown = await db.view(({ rootMapping }) => print(rootMapping.get('tree')))
    expect(shown).toMatch(/^treehook\.BTree \(oid \w+\) \{ size: 1 \}$/)
  })

  test('of nested values in a transaction is what they hold, changes included', async () => {
    await db.transaction(({ rootMapping }) => {
      const one = rootMapping.get('one') as Person
      one.phones.push('2')
      ;(one.tags.get('a') as { since: Date }).since.setTime(1000)
      expect(print(one.phones)).toBe("[ '1', '2' ]")
      expect(print(one.tags)).toBe("Map(1) { 'a' => { since: 1970-01-01T00:00:01.000Z } }")
      expect(print({ in: one.phones })).toBe("{ in: [ '1', '2' ] }")
      expect(print(one)).toMatch("phones: [ '1', '2' ]")
    })
  })

  test('of an object that cannot be read now says why', async () => {
    const one = await db.view(({ rootMapping }) => rootMapping.get('one') as Person)
    for (let i = 0; i < 3; i++) await db.view(({ rootMapping }) => rootMapping.get('tree'))
    expect(print(one)).toMatch(/^inspect\.Person \(oid \w+\) \{ [A-Z_]+ \}$/)
  })

  test('has an end for objects that refer to one another', () => {
    const one = new Person()
    one.friend = one
    expect(print(one)).toMatch('friend: [inspect.Person (not added yet)] }')
  })
})
