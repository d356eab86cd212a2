import { afterEach, describe, expect, test } from '@jest/globals'
import { describeObject, Persistent, setPathDescriber } from '../../lib/persistence/index.js'
import { aDatabaseWithBob, bobOf, Employee } from '../support/persistence-builders.js'

afterEach(() => setPathDescriber(() => undefined))

describe('The description of an object', () => {
  test('names its class and oid', async () => {
    class Nameless extends Persistent {}
    expect(describeObject(new Employee())).toBe('spec.Employee (not added yet)')
    expect(describeObject(new Nameless())).toBe('Nameless (not added yet)')
    const db = await aDatabaseWithBob()
    expect(await db.view((context) => describeObject(bobOf(context)))).toBe(
      'spec.Employee (oid 0000000000000001)',
    )
  })

  test('has the path that the layer above knows, when the object is loaded', async () => {
    setPathDescriber((object) => `/staff/${(object as Employee).title}`)
    const db = await aDatabaseWithBob({ title: 'bob' })
    const [loaded, ghost] = await db.view((context) => {
      const bob = bobOf(context)
      const before = describeObject(bob)
      context.connection.cacheMinimize()
      return [before, describeObject(bob)]
    })
    expect(loaded).toBe('spec.Employee at /staff/bob (oid 0000000000000001)')
    expect(ghost).toBe('spec.Employee (oid 0000000000000001)')
  })
})
