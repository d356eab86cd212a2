import { describe, expect, test } from '@jest/globals'
import { classNamed, Persistent, stored, storedNameOf } from '../../lib/persistence/index.js'
import { aDatabase, Employee } from '../support/persistence-builders.js'
import { errorOf } from '../support/storage-builders.js'

describe('Class registry', () => {
  test('knows a class by its stored name, whatever its own', () => {
    expect(classNamed('spec.Employee')).toBe(Employee)
    expect(storedNameOf(Employee)).toBe('spec.Employee')
    expect(classNamed('spec.Nobody')).toBeUndefined()
  })

  test('a subclass does not inherit the name', async () => {
    class Derived extends Employee {}
    expect(storedNameOf(Derived)).toBeUndefined()
    const db = await aDatabase()
    const error = await errorOf(() =>
      db.transaction(({ rootMapping }) => void rootMapping.set('it', new Derived())),
    )
    expect(error).toMatchObject({ code: 'PERSISTENCE_INVALID_CLASS' })
    expect(error.message).toMatch(/Derived has no stored name.*@stored/)
    expect(db.lastTid).toBe(1)
  })

  test('a name belongs to one class, and has text', async () => {
    class Thief extends Persistent {}
    for (const name of ['spec.Employee', '']) {
      expect(await errorOf(() => stored(name)(Thief))).toMatchObject({
        code: 'PERSISTENCE_INVALID_CLASS',
      })
    }
    expect(classNamed('spec.Employee')).toBe(Employee)
    expect(storedNameOf(Thief)).toBeUndefined()
  })

  test('former names mean the class, too, and are its own', async () => {
    class Moved extends Persistent {}
    stored('spec.Moved', { formerly: ['spec.Here', 'spec.There'] })(Moved)
    expect(['spec.Here', 'spec.There', 'spec.Moved'].map(classNamed)).toEqual([Moved, Moved, Moved])
    expect(storedNameOf(Moved)).toBe('spec.Moved')
    class Thief extends Persistent {}
    for (const formerly of [['spec.Here'], ['spec.Employee'], ['']]) {
      expect(await errorOf(() => stored('spec.Thief', { formerly })(Thief))).toMatchObject({
        code: 'PERSISTENCE_INVALID_CLASS',
      })
    }
    expect([storedNameOf(Thief), classNamed('spec.Thief')]).toEqual([undefined, undefined])
  })
})
