import { afterEach, describe, expect, test } from '@jest/globals'
import { verifyObject } from '../../lib/component/index.js'
import { Contained, IContained, ILocation } from '../../lib/content/index.js'
import { aDatabaseWith, closeDatabases, Employee } from '../support/content-builders.js'

afterEach(closeDatabases)

describe('Contained', () => {
  test('has no place until a container gives it one', () => {
    const object = new Contained()
    expect([object.__parent__, object.__name__]).toEqual([undefined, undefined])
  })

  test('is a location, and keeps what that promises', () => {
    expect([IContained, ILocation].map((one) => one.providedBy(new Contained()))).toEqual([
      true,
      true,
    ])
    expect(() => verifyObject(IContained, new Employee())).not.toThrow()
  })

  test('has its place again when it is loaded', async () => {
    const db = await aDatabaseWith((root) => void root.set('Bob', new Employee()))
    db.objects.cacheClear()
    await db.view(({ root }) => {
      const bob = root.getItem('Bob')
      expect([bob.__parent__, bob.__name__]).toEqual([root, 'Bob'])
    })
  })
})
