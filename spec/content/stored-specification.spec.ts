import { describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  defineInterface,
  type Interface,
  implementedBy,
  implementer,
  providedBy,
  type Specification,
} from '../../lib/component/index.js'
import {
  fromStoredSpecification,
  querySpecificationKey,
  specificationKey,
  toStoredSpecification,
} from '../../lib/content/index.js'
import { Persistent, stored } from '../../lib/persistence/index.js'
import { codeOfThrown } from '../support/content-builders.js'

const IOne = defineInterface('content-spec.IOne')
const ITwo = defineInterface('content-spec.ITwo', { extends: [IOne] })
const IThree = defineInterface('content-spec.IThree')

@stored('content-spec.Thing')
@implementer(IThree)
class Thing extends Persistent {}

class Nameless extends Persistent {}

function aThing(...interfaces: readonly Interface[]): Thing {
  const thing = new Thing()
  alsoProvides(thing, ...interfaces)
  return thing
}

/** Through JSON, as through a database. */
function reloaded(specification: Specification): Specification {
  return fromStoredSpecification(JSON.parse(JSON.stringify(toStoredSpecification(specification))))
}

describe('A stored specification', () => {
  test('is names', () => {
    expect(toStoredSpecification(ITwo)).toEqual({ interface: 'content-spec.ITwo' })
    expect(toStoredSpecification(implementedBy(Thing))).toEqual({ class: 'content-spec.Thing' })
    expect(toStoredSpecification(providedBy(aThing(ITwo, IOne)))).toEqual({
      class: 'content-spec.Thing',
      provides: ['content-spec.ITwo', 'content-spec.IOne'],
    })
  })

  test.each<[string, Specification]>([
    ['an interface', ITwo],
    ['a class', implementedBy(Thing)],
    ['an object without interfaces of its own', providedBy(new Thing())],
    ['an object that provides one directly', providedBy(aThing(ITwo))],
    ['an object that provides several directly', providedBy(aThing(ITwo, IOne))],
    ['an object that provides what its class does', providedBy(aThing(IThree))],
  ])('of %s is loaded as the live one', (_, specification) => {
    expect(reloaded(specification)).toBe(specification)
  })

  test('of a class is in step with what the class declares later', () => {
    @stored('content-spec.Growing')
    class Growing extends Persistent {}
    const object = new Growing()
    alsoProvides(object, IThree)
    const kept = [implementedBy(Growing), providedBy(object)].map(toStoredSpecification)
    implementer(ITwo)(Growing)
    expect(kept.map((one) => fromStoredSpecification(one).extendsOrIs(IOne))).toEqual([true, true])
    expect(fromStoredSpecification(kept[1]!)).toBe(providedBy(object))
  })

  test('cannot be made for a class without a stored name', () => {
    for (const specification of [implementedBy(Nameless), implementedBy(Object)]) {
      const storing = () => toStoredSpecification(specification)
      expect(codeOfThrown(storing)).toBe('COMPONENT_INVALID_REGISTRATION')
      expect(storing).toThrow('give the class')
    }
    const object = new Nameless()
    alsoProvides(object, IOne)
    expect(codeOfThrown(() => toStoredSpecification(providedBy(object)))).toBe(
      'COMPONENT_INVALID_REGISTRATION',
    )
  })

  test.each([
    ['interface', 'gone.IGone', { interface: 'gone.IGone' }],
    ['class', 'gone.Gone', { class: 'gone.Gone' }],
    ['class', 'gone.Gone', { class: 'gone.Gone', provides: [] }],
    ['interface', 'gone.IGone', { class: 'content-spec.Thing', provides: ['gone.IGone'] }],
    ['class', 'toString', { class: 'toString' }],
  ])('that names an unknown %s is refused: %s', (kind, name, stale) => {
    const loading = () => fromStoredSpecification(stale)
    expect(codeOfThrown(loading)).toBe('COMPONENT_INVALID_REGISTRATION')
    expect(loading).toThrow(`The database names the ${kind} ${name}`)
  })
})

describe('The key of a specification', () => {
  test('is equal for the same specification only', () => {
    const specifications = [
      IOne,
      ITwo,
      implementedBy(Thing),
      providedBy(aThing(IOne)),
      providedBy(aThing(ITwo)),
      providedBy(aThing(ITwo, IOne)),
    ]
    expect(new Set(specifications.map(specificationKey)).size).toBe(specifications.length)
    expect(specifications.map((one) => specificationKey(reloaded(one)))).toEqual(
      specifications.map(specificationKey),
    )
  })

  test('can be asked of what cannot be stored', () => {
    expect(querySpecificationKey(implementedBy(Nameless))).toBeUndefined()
    expect(querySpecificationKey(IOne)).toBe(specificationKey(IOne))
    expect(querySpecificationKey(implementedBy(Thing))).toBe(specificationKey(implementedBy(Thing)))
  })
})
