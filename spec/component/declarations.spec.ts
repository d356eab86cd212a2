import { describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  defineInterface,
  directlyProvidedBy,
  directlyProvides,
  implementer,
  noLongerProvides,
  provides,
} from '../../lib/component/index.js'

const INamed = defineInterface<{ readonly name: string }>('test.INamed')
const IBadge = defineInterface('test.IBadge')
const IGoldBadge = defineInterface('test.IGoldBadge', { extends: [IBadge] })
const IParking = defineInterface('test.IParking')

describe('implementer', () => {
  test('declares as a decorator', () => {
    @implementer(INamed, IBadge)
    class Employee {
      readonly name = 'Bob'
    }
    expect(INamed.providedBy(new Employee())).toBe(true)
    expect(IBadge.implementedBy(Employee)).toBe(true)
    expect(IParking.implementedBy(Employee)).toBe(false)
  })

  test('declares as a call, and gives the class back', () => {
    class Employee {}
    expect(implementer(IBadge)(Employee)).toBe(Employee)
    expect(IBadge.providedBy(new Employee())).toBe(true)
  })

  test('adds to what was declared', () => {
    class Employee {}
    implementer(IBadge)(Employee)
    implementer(IParking)(Employee)
    expect(provides(new Employee(), IBadge)).toBe(true)
    expect(provides(new Employee(), IParking)).toBe(true)
  })

  test('reaches classes that extend the class, not those it extends', () => {
    class Person {}
    class Employee extends Person {}
    class Manager extends Employee {}
    implementer(IBadge)(Employee)
    expect([Person, Employee, Manager].map((one) => IBadge.implementedBy(one))).toEqual([
      false,
      true,
      true,
    ])
  })

  test('refuses what is no interface', () => {
    expect(() => implementer('IBadge' as never)).toThrow(
      expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' }),
    )
  })
})

describe('Direct declarations', () => {
  test('add up by alsoProvides, in order and without repeats', () => {
    const bob = {}
    alsoProvides(bob, IParking)
    alsoProvides(bob, IBadge, IParking)
    expect(directlyProvidedBy(bob)).toEqual([IParking, IBadge])
    expect(provides(bob, IBadge)).toBe(true)
    expect(provides({}, IBadge)).toBe(false)
  })

  test('are replaced by directlyProvides', () => {
    const bob = {}
    alsoProvides(bob, IParking)
    directlyProvides(bob, IBadge)
    expect(directlyProvidedBy(bob)).toEqual([IBadge])
    directlyProvides(bob)
    expect(directlyProvidedBy(bob)).toEqual([])
  })

  test('do not repeat what the class provides', () => {
    class Employee {}
    implementer(IGoldBadge)(Employee)
    const bob = new Employee()
    alsoProvides(bob, IBadge)
    expect(directlyProvidedBy(bob)).toEqual([])
  })

  test('take a specific interface after a general one', () => {
    const bob = {}
    alsoProvides(bob, IBadge)
    alsoProvides(bob, IGoldBadge)
    expect(provides(bob, IGoldBadge)).toBe(true)
    noLongerProvides(bob, IGoldBadge)
    expect(provides(bob, IGoldBadge)).toBe(false)
    expect(provides(bob, IBadge)).toBe(true)
  })

  test('are taken back together with what extends them', () => {
    const bob = {}
    alsoProvides(bob, IGoldBadge, IParking)
    noLongerProvides(bob, IBadge)
    expect(directlyProvidedBy(bob)).toEqual([IParking])
    expect(provides(bob, IBadge)).toBe(false)
  })

  test('can be taken back when nothing was declared', () => {
    const bob = {}
    noLongerProvides(bob, IBadge)
    expect(directlyProvidedBy(bob)).toEqual([])
  })

  test('of the class cannot be taken back from one object', () => {
    class Employee {}
    implementer(IBadge)(Employee)
    const bob = new Employee()
    alsoProvides(bob, IGoldBadge)
    expect(() => noLongerProvides(bob, IBadge)).toThrow(
      expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' }),
    )
    expect(directlyProvidedBy(bob)).toEqual([IGoldBadge])
  })

  test('work on frozen objects', () => {
    const bob = Object.freeze({})
    alsoProvides(bob, IBadge)
    expect(provides(bob, IBadge)).toBe(true)
  })

  test('change nothing when they contradict each other', () => {
    const IX = defineInterface('test.declared.IX')
    const IY = defineInterface('test.declared.IY')
    const IXY = defineInterface('test.declared.IXY', { extends: [IX, IY] })
    const IYX = defineInterface('test.declared.IYX', { extends: [IY, IX] })
    const bob = {}
    alsoProvides(bob, IXY)
    expect(() => alsoProvides(bob, IYX)).toThrow(
      expect.objectContaining({ code: 'COMPONENT_INCONSISTENT_ORDER' }),
    )
    expect(directlyProvidedBy(bob)).toEqual([IXY])
    class Other {}
    implementer(IParking)(Other)
    implementer(IBadge)(Object)
    expect(provides(bob, IBadge)).toBe(true)
  })

  test('are of objects and interfaces only', () => {
    for (const wrong of [
      () => alsoProvides('Bob' as never, IBadge),
      () => alsoProvides({}, class {} as never),
      () => noLongerProvides(1 as never, IBadge),
    ]) {
      expect(wrong).toThrow(expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' }))
    }
  })
})
