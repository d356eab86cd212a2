import { describe, expect, test } from '@jest/globals'
import {
  Contained,
  externalize,
  field,
  globalRegistry,
  IExternalObject,
  implementer,
  stored,
} from '../../lib/index.js'
import { codeThrownBy } from '../support/storage-builders.js'
import { aWebhookDatabase, Desk, Employee, endAll } from '../support/webhooks-builders.js'

const NOWHERE = {}

function external(value: unknown): unknown {
  return externalize(value, 'webhook-delivery', NOWHERE)
}

@stored('spec.externalize.Everything')
@implementer(IExternalObject)
class Everything extends Contained implements IExternalObject {
  @field accessor phones: string[] = ['+1']
  @field accessor grades = new Map([['maths', 1]])
  @field accessor tags = new Set(['a'])
  @field accessor born = new Date(0)
  @field accessor photo = new Uint8Array([1, 2])
  @field accessor address = { city: 'Norman', lines: ['1 Main St'] }
  @field accessor count = 5n

  toExternalObject(): unknown {
    const { phones, grades, tags, born, photo, address, count } = this
    return { phones, grades, tags, born, photo, address, count }
  }
}

describe('externalize', () => {
  test.each([
    ['text', 'Bob', 'Bob'],
    ['a number', 1.5, 1.5],
    ['null', null, null],
    ['true', true, true],
    ['a date', new Date(Date.UTC(1973, 10, 29, 21, 33, 9)), '1973-11-29T21:33:09.000Z'],
    ['no date', new Date(Number.NaN), null],
    ['a map', new Map<unknown, unknown>([[1, new Set([2])]]), { '1': [2] }],
    ['a set', new Set(['a', 1n]), ['a', '1']],
    ['a bigint', 2n ** 64n, '18446744073709551616'],
    ['bytes', new Uint8Array([104, 105]), 'aGk='],
    ['a view of bytes', new Uint8Array([0, 104, 105, 0]).subarray(1, 3), 'aGk='],
    [
      'plain values in each other',
      { a: [{ b: new Date(0) }] },
      { a: [{ b: '1970-01-01T00:00:00.000Z' }] },
    ],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1n }), { a: '1' }],
  ])('makes of %s what JSON can hold', (_what, value, expected) => {
    expect(external(value)).toEqual(expected)
  })

  test('asks an object what it says of itself', () => {
    @implementer(IExternalObject)
    class Person implements IExternalObject {
      toExternalObject(): unknown {
        return { name: 'Bob', born: new Date(0) }
      }
    }
    expect(external([new Person()])).toEqual([{ name: 'Bob', born: '1970-01-01T00:00:00.000Z' }])
  })

  test('tells only the kind of an object that says nothing', () => {
    class Secret {
      password = 'hunter2'
    }
    expect(external({ inner: new Secret() })).toEqual({
      inner: { class: 'NonExternalizableObject', internalType: 'Secret' },
    })
    const desk = new Desk()
    desk.number = 7
    expect(external(desk)).toEqual({
      class: 'NonExternalizableObject',
      internalType: 'spec.webhooks.Desk',
    })
  })

  test('asks the adapter of the externalizer’s name first, then the unnamed one', () => {
    class Thing {}
    const unnamed = { adapts: [Thing], provides: IExternalObject } as const
    const named = { ...unnamed, name: 'webhook-delivery' }
    const say = (what: string) => () => ({ toExternalObject: () => what })
    globalRegistry.registerAdapter(say('unnamed'), unnamed)
    expect(external(new Thing())).toBe('unnamed')
    globalRegistry.registerAdapter(say('named'), named)
    expect(external(new Thing())).toBe('named')
    expect(externalize(new Thing(), '', NOWHERE)).toBe('unnamed')
    globalRegistry.unregisterAdapter(undefined, unnamed)
    globalRegistry.unregisterAdapter(undefined, named)
  })

  test('refuses what refers to itself', async () => {
    const circle: unknown[] = []
    circle.push(circle)
    expect(await codeThrownBy(() => external(circle))).toBe('WEBHOOK_PAYLOAD_FAILED')
  })

  test('refuses an object that says itself for ever', async () => {
    @implementer(IExternalObject)
    class Echo implements IExternalObject {
      toExternalObject(): unknown {
        return this
      }
    }
    expect(await codeThrownBy(() => external(new Echo()))).toBe('WEBHOOK_PAYLOAD_FAILED')
  })

  test('reads the fields of a stored object in a writing transaction and in a view', async () => {
    const { db } = await aWebhookDatabase()
    await db.transaction(({ root }) => root.set('all', new Everything()))
    const expected = {
      phones: ['+1', '+2'],
      grades: { maths: 1, art: 2 },
      tags: ['a', 'b'],
      born: '1970-01-01T00:00:00.001Z',
      photo: 'AwI=',
      address: { city: 'Norman', lines: ['1 Main St', 'Attic'] },
      count: '5',
    }
    await db.transaction(({ root }) => {
      const all = root.get('all') as Everything
      all.phones.push('+2')
      all.grades.set('art', 2)
      all.tags.add('b')
      all.born.setTime(1)
      all.photo[0] = 3
      all.address.lines.push('Attic')
      expect(external(all)).toEqual(expected)
      expect(JSON.parse(JSON.stringify(external(all)))).toEqual(expected)
    })
    await db.view(({ root }) => expect(external(root.get('all'))).toEqual(expected))
    await endAll()
  })

  test('makes of an employee what it says', () => {
    expect(() => external(new Employee())).toThrow('has no path')
  })
})
