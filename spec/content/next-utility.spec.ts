import { afterEach, describe, expect, test } from '@jest/globals'
import { ComponentRegistry, defineInterface, globalRegistry } from '../../lib/component/index.js'
import { getNextUtility, queryNextUtility, Site } from '../../lib/content/index.js'
import {
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

const IBoss = defineInterface<Employee>('next-utility-spec.IBoss')
const IChief = defineInterface<Employee>('next-utility-spec.IChief', { extends: [IBoss] })

function appoint(registry: ComponentRegistry, name = ''): Employee {
  const boss = new Employee()
  registry.registerUtility(boss, { provides: IBoss, name })
  return boss
}

describe('The next utility', () => {
  test('is that of the nearest registry behind the context’s own', () =>
    inTransaction((root, db) => {
      const outer = root.set('outer', new Site())
      const inner = outer.set('middle', new Site()).set('inner', new Site())
      const ofDatabase = appoint(db.registry)
      const ofOuter = outer.siteManager.default.set('Out', new Employee())
      outer.siteManager.registry.registerUtility(ofOuter, { provides: IChief })
      const ofInner = inner.siteManager.default.set('In', new Employee())
      inner.siteManager.registry.registerUtility(ofInner, { provides: IBoss })
      expect(getNextUtility(ofInner, IBoss)).toBe(ofOuter)
      expect(getNextUtility(ofOuter, IBoss)).toBe(ofDatabase)
      expect(queryNextUtility(db.registry, IBoss)).toBeUndefined()
    }))

  test('follows the order of the chain where bases share bases', () => {
    const [far, one, two] = ['far', 'one', 'two'].map((name) => new ComponentRegistry({ name }))
    one!.bases = [far!]
    two!.bases = [far!]
    const both = new ComponentRegistry({ name: 'both', bases: [one!, two!] })
    appoint(far!)
    const ofTwo = appoint(two!)
    expect(queryNextUtility(both, IBoss)).toBe(ofTwo)
  })

  test('has the name that is asked for', () => {
    const base = new ComponentRegistry({ name: 'base' })
    const registry = new ComponentRegistry({ name: 'near', bases: [base] })
    const named = appoint(base, 'deputy')
    expect(queryNextUtility(registry, IBoss, { name: 'deputy' })).toBe(named)
    expect(queryNextUtility(registry, IBoss)).toBeUndefined()
  })

  test('must be there for get, which names the registry', () => {
    const asking = () => getNextUtility(globalRegistry, IBoss)
    expect(codeOfThrown(asking)).toBe('COMPONENT_LOOKUP')
    expect(asking).toThrow('stands behind that of the global registry')
    expect(queryNextUtility({}, IBoss)).toBeUndefined()
  })
})
