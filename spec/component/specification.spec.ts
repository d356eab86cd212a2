import { describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  DIRECTLY_PROVIDED,
  defineInterface,
  IAny,
  type Interface,
  implementedBy,
  implementer,
  mayDeclareDirectly,
  providedBy,
  specificationOf,
  specificationStamp,
  specificationWith,
} from '../../lib/component/index.js'

const IPerson = defineInterface('test.IPerson')
const IEmployee = defineInterface('test.IEmployee', { extends: [IPerson] })
const IRetired = defineInterface('test.IRetired')
const IHonoured = defineInterface('test.IHonoured')

describe('Class specification', () => {
  test('is always the same object, and knows its class', () => {
    class Office {}
    expect(implementedBy(Office)).toBe(implementedBy(Office))
    expect(implementedBy(Office).inherit).toBe(Office)
    expect(implementedBy(Office).kind).toBe('class')
  })

  test('orders itself, its interfaces, then those of its base class, ending in IAny', () => {
    class Person {}
    class Worker extends Person {}
    implementer(IPerson)(Person)
    implementer(IRetired, IHonoured)(Worker)
    expect(implementedBy(Worker).resolutionOrder).toEqual([
      implementedBy(Worker),
      IRetired,
      IHonoured,
      implementedBy(Person),
      IPerson,
      implementedBy(Object),
      IAny,
    ])
    expect(implementedBy(Worker).flattened()).toEqual([IRetired, IHonoured, IPerson, IAny])
    expect(implementedBy(Worker).extendsOrIs(implementedBy(Person))).toBe(true)
    expect(implementedBy(Person).extendsOrIs(implementedBy(Worker))).toBe(false)
  })

  test('leaves out what its base class, or another declaration, says already', () => {
    class Person {}
    class Worker extends Person {}
    implementer(IPerson, IEmployee)(Person)
    implementer(IPerson)(Worker)
    expect(implementedBy(Person).flattened()).toEqual([IEmployee, IPerson, IAny])
    expect(implementedBy(Worker).flattened()).toEqual([IEmployee, IPerson, IAny])
  })

  test('grows when its class or a base class declares more, and the stamp rises', () => {
    class Person {}
    class Worker extends Person {}
    const ofWorker = implementedBy(Worker)
    expect(ofWorker.extendsOrIs(IPerson)).toBe(false)
    const before = specificationStamp()
    implementer(IPerson)(Person)
    expect(specificationStamp()).toBeGreaterThan(before)
    expect(implementedBy(Worker)).toBe(ofWorker)
    expect(ofWorker.extendsOrIs(IPerson)).toBe(true)
    expect(ofWorker.flattened()).toEqual([IPerson, IAny])
  })

  test('of a class that nobody asked about does not raise the stamp', () => {
    const before = specificationStamp()
    implementer(IPerson)(class {})
    expect(specificationStamp()).toBe(before)
  })

  test('has an id that no other class shares', () => {
    const make = (): (new () => object) => class Twin {}
    const ids = [make(), make()].map((Twin) => implementedBy(Twin).id)
    expect(ids).toEqual(['class Twin', 'class Twin#2'])
  })

  test('declares nothing when a class that extends it could not be ordered', () => {
    const IX = defineInterface('test.order.IX')
    const IY = defineInterface('test.order.IY')
    const IXY = defineInterface('test.order.IXY', { extends: [IX, IY] })
    const IYX = defineInterface('test.order.IYX', { extends: [IY, IX] })
    class Base {}
    class Derived extends Base {}
    implementer(IXY)(Derived)
    expect(() => implementer(IYX)(Base)).toThrow(
      expect.objectContaining({ code: 'COMPONENT_INCONSISTENT_ORDER' }),
    )
    expect(implementedBy(Base).flattened()).toEqual([IAny])
    expect(implementedBy(Derived).flattened()).toEqual([IXY, IX, IY, IAny])
    const object = new Base()
    alsoProvides(object, IXY)
    expect(() => implementer(IYX)(Base)).toThrow(/cannot be ordered/)
    expect(IX.providedBy(object)).toBe(true)
  })

  test('is refused for what has no instances', () => {
    for (const none of [() => 1, {} as never]) {
      expect(() => implementedBy(none as never)).toThrow(
        expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' }),
      )
    }
  })
})

describe('Object specification', () => {
  test("is the class's while the object provides nothing more", () => {
    class Person {}
    expect(providedBy(new Person())).toBe(implementedBy(Person))
  })

  test('is shared by objects of one class with the same direct interfaces', () => {
    class Person {}
    implementer(IPerson)(Person)
    const [ann, bob, cid] = [new Person(), new Person(), new Person()]
    alsoProvides(ann!, IRetired, IHonoured)
    alsoProvides(bob!, IRetired)
    alsoProvides(bob!, IHonoured)
    alsoProvides(cid!, IHonoured, IRetired)
    expect(providedBy(ann)).toBe(providedBy(bob))
    expect(providedBy(cid)).not.toBe(providedBy(ann))
    expect(providedBy(ann).resolutionOrder.slice(1)).toEqual([
      IRetired,
      IHonoured,
      ...implementedBy(Person).resolutionOrder,
    ])
    expect(providedBy(ann)).toMatchObject({ kind: 'object', inherit: Person })
    expect(providedBy(ann).id).toBe(`${implementedBy(Person).id} & test.IRetired & test.IHonoured`)
  })

  test('follows what its class declares later', () => {
    class Person {}
    const ann = new Person()
    alsoProvides(ann, IPerson)
    implementer(IEmployee)(Person)
    expect(providedBy(ann).flattened()).toEqual([IEmployee, IPerson, IAny])
  })

  test('does not pass to objects of a class that extends the class', () => {
    class Person {}
    class Worker extends Person {}
    alsoProvides(new Person(), IRetired)
    expect(providedBy(new Worker())).toBe(implementedBy(Worker))
    expect(providedBy(new Person())).toBe(implementedBy(Person))
  })

  test('is found without an object, by class and interfaces', () => {
    class Person {}
    const person = new Person()
    alsoProvides(person, IRetired)
    expect(specificationWith(Person, [IRetired])).toBe(providedBy(person))
    expect(specificationWith(Person, [])).toBe(implementedBy(Person))
    const union = specificationWith(Object, [IRetired])
    expect(union.flattened()).toEqual([IRetired, IAny])
    expect(union.inherit).toBe(Object)
  })

  test('is asked of instances once somebody said that they may declare', () => {
    class Loaded {
      get [DIRECTLY_PROVIDED](): readonly Interface[] {
        return [IRetired]
      }
    }
    expect(IRetired.providedBy(new Loaded())).toBe(false)
    mayDeclareDirectly(Loaded)
    expect(IRetired.providedBy(new Loaded())).toBe(true)
  })

  test('comes from the class that keeps direct declarations itself', () => {
    class Kept {
      names: readonly Interface[] | undefined
      get [DIRECTLY_PROVIDED](): readonly Interface[] | undefined {
        return this.names && [...this.names]
      }
      set [DIRECTLY_PROVIDED](interfaces: readonly Interface[] | undefined) {
        this.names = interfaces
      }
    }
    class KeptToo extends Kept {}
    const [one, two] = [new KeptToo(), new KeptToo()]
    expect(providedBy(one)).toBe(implementedBy(KeptToo))
    alsoProvides(one!, IRetired)
    expect(one!.names).toEqual([IRetired])
    two!.names = [IRetired]
    expect(providedBy(two)).toBe(providedBy(one))
    expect(IRetired.providedBy(two)).toBe(true)
  })
})

describe('What anything provides', () => {
  test('is IAny at least', () => {
    const bare: unknown = Object.create(null)
    for (const value of [undefined, null, 1, 'text', {}, [], () => 1, bare, Symbol('s')]) {
      expect(IAny.providedBy(value)).toBe(true)
    }
    expect(providedBy(undefined)).toBe(IAny)
    expect(providedBy(bare)).toBe(implementedBy(Object))
    expect(providedBy('text')).toBe(implementedBy(String))
  })

  test('is what the nearest prototype of a class says, for objects made from objects', () => {
    class Person {}
    const made: unknown = Object.create(new Person())
    expect(providedBy(made)).toBe(implementedBy(Person))
  })

  test('can be declared of a class as an object, apart from its instances', () => {
    class Maker {}
    class Other extends Maker {}
    alsoProvides(Maker, IHonoured)
    expect(IHonoured.providedBy(Maker)).toBe(true)
    expect(IHonoured.providedBy(new Maker())).toBe(false)
    expect(IHonoured.providedBy(Other)).toBe(false)
  })

  test('is read when a requirement is a class, and refused when it is neither', () => {
    class Person {}
    expect(specificationOf(Person)).toBe(implementedBy(Person))
    expect(specificationOf(IPerson)).toBe(IPerson)
    expect(specificationOf(providedBy(new Person()))).toBe(implementedBy(Person))
    expect(() => specificationOf('IPerson' as never)).toThrow(
      expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' }),
    )
  })
})
