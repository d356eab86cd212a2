import { afterEach, describe, expect, test } from '@jest/globals'
import {
  describe as describeAny,
  Folder,
  lineage,
  nameOf,
  parentOf,
  rootOf,
  siteOf,
  traverse,
} from '../../lib/content/index.js'
import {
  anOffice,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

/** Two folders that are each other's parent, which no container makes. */
function aCircle(): Folder {
  const [one, other] = [new Folder(), new Folder()]
  one.__parent__ = other
  other.__parent__ = one
  one.__name__ = 'one'
  other.__name__ = 'other'
  return one
}

describe('Lineage', () => {
  test('is the object and everything above it, up to the root', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const bob = traverse(root, '/NOAA/NWS/OUN/employees/Bob')
      expect([...lineage(bob)].map(nameOf)).toEqual([
        'Bob',
        'employees',
        'OUN',
        'NWS',
        'NOAA',
        undefined,
      ])
      expect([...lineage(bob)].at(-1)).toBe(root)
    })
  })

  test('of an object without a place is the object', () => {
    const object = {}
    expect([...lineage(object)]).toEqual([object])
    expect([parentOf(object), nameOf(object)]).toEqual([undefined, undefined])
  })

  test('that runs in a circle is refused', () => {
    const circle = aCircle()
    for (const ask of [() => [...lineage(circle)], () => rootOf(circle), () => siteOf(circle)]) {
      expect(codeOfThrown(ask)).toBe('CONTENT_CYCLE')
    }
    expect(() => rootOf(circle)).toThrow(
      'The parents of treehook.Folder (not added yet) run in a circle',
    )
  })

  test('may be hundreds of folders long', () =>
    inTransaction((root) => {
      let folder: Folder = root
      for (let depth = 0; depth < 500; depth++) folder = folder.set('in', new Folder())
      expect([...lineage(folder)]).toHaveLength(501)
      expect(rootOf(folder)).toBe(root)
    }))
})

describe('rootOf', () => {
  test('gives the root folder, of the root itself too', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      expect(rootOf(traverse(root, '/NOAA/NWS'))).toBe(root)
      expect(rootOf(root)).toBe(root)
    })
  })

  test('names the object that has nothing above it', () => {
    const folder = new Folder()
    const bob = folder.set('Bob', new Employee())
    expect(codeOfThrown(() => rootOf(bob))).toBe('CONTENT_LOCATION')
    expect(() => rootOf(bob)).toThrow(
      'content-spec.Employee (not added yet) is not in the tree: Not enough context to determine ' +
        'location root; above treehook.Folder (not added yet) there is nothing.',
    )
    expect(() => rootOf(folder)).toThrow('above it there is nothing')
  })
})

describe('The description of an object in messages', () => {
  test('has its class, its path and its oid, as far as they are known', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      const noaa = root.getItem('NOAA')
      expect(noaa.__name__).toBe('NOAA')
      expect(describeAny(noaa)).toMatch(/^treehook\.Site at \/NOAA \(oid [0-9a-f]{16}\)$/)
      expect(describeAny(root.set('new', new Folder()))).toBe(
        'treehook.Folder at /new (not added yet)',
      )
      expect(describeAny(new Folder())).toBe('treehook.Folder (not added yet)')
    })
  })

  test('of what is not persistent has its class', () => {
    expect(describeAny(new Map())).toBe('an object of Map')
    expect(describeAny(Object.create(null))).toBe('an object of no class')
    expect(['text', 7, null, undefined, 7n].map(describeAny)).toEqual([
      'the string text',
      'the number 7',
      'the object null',
      'the undefined undefined',
      'the bigint 7',
    ])
  })

  test('goes without a path when what is above cannot be read any more', async () => {
    const db = await anOffice()
    const bob = await db.view(({ root }) => traverse(root, '/NOAA/NWS/OUN/employees/Bob', Employee))
    await db.view(() => expect(bob.title).toBe(''))
    await db.transaction(({ root }) => {
      const oun = traverse(root, '/NOAA/NWS/OUN', Folder)
      oun.set('people', oun.getItem('employees'))
      oun.delete('employees')
    })
    expect(describeAny(bob)).toMatch(/^content-spec\.Employee \(oid [0-9a-f]{16}\)$/)
  })
})
