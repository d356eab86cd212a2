import { describe, expect, test } from '@jest/globals'
import { definePersistent, Persistent } from '../../lib/persistence/index.js'
import { aDatabase, Employee } from '../support/persistence-builders.js'
import { errorOf } from '../support/storage-builders.js'

class Shadowing extends Persistent {
  title = 'hides the field'
}
definePersistent(Shadowing, { name: 'spec.Shadowing', fields: ['title'] })

describe('An own property that hides a declared field', () => {
  test.each<[string, () => Persistent]>([
    ['by a class field', () => new Shadowing()],
    ['by defineProperty', () => Object.defineProperty(new Employee(), 'title', { value: 'own' })],
  ])('%s is refused, and nothing is stored', async (_, make) => {
    const db = await aDatabase()
    const error = await errorOf(() =>
      db.transaction(({ rootMapping }) => {
        rootMapping.set('fine', new Employee())
        rootMapping.set('hidden', make())
      }),
    )
    expect(error).toMatchObject({ code: 'PERSISTENCE_INVALID_CLASS' })
    expect(error.message).toMatch(/spec\.(Shadowing|Employee).*own property title.*@field accessor/)
    expect([db.lastTid, await db.view(({ rootMapping }) => rootMapping.size)]).toEqual([1, 0])
  })

  test('other own properties are volatile', async () => {
    const db = await aDatabase()
    const employee = Object.assign(new Employee(), { note: 'for now' })
    await db.transaction(({ rootMapping }) => void rootMapping.set('it', employee))
    db.cacheClear()
    expect(await db.view(({ rootMapping }) => Object.keys(rootMapping.get('it')!))).toEqual([])
  })
})
