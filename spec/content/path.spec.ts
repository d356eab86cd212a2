import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { canonicalPath, Folder, joinPath, pathOf, traverse } from '../../lib/content/index.js'
import { assertValidName } from '../../lib/content/names.js'
import {
  anOffice,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

function isValid(name: string): boolean {
  try {
    assertValidName(name)
    return true
  } catch {
    return false
  }
}

describe('pathOf', () => {
  test('begins at the root folder, which is /', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      expect(pathOf(root)).toBe('/')
      expect(pathOf(root.getItem('NOAA'))).toBe('/NOAA')
      expect(pathOf(traverse(root, 'NOAA/NWS/OUN/employees/Bob'))).toBe(
        '/NOAA/NWS/OUN/employees/Bob',
      )
    })
  })

  test.each([
    ['a/b', '/a%2Fb'],
    ['100%', '/100%25'],
    ['%2F', '/%252F'],
    ['/', '/%2F'],
    ['__proto__', '/__proto__'],
    ['a b?#é', '/a b?#é'],
  ])('writes the name %p as %p', (name, path) =>
    inTransaction((root) => {
      expect(pathOf(root.set(name, new Employee()))).toBe(path)
    }),
  )

  test('leads back to the object, whatever the names', () => {
    const name = fc
      .oneof(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.string({
          unit: fc.constantFrom('/', '%', '2', 'F', 'f', '5', '.', '+', '@', ' ', '\\'),
        }),
        fc.constantFrom('__proto__', 'constructor', '...', '%2F', '%2f%25', '+', '@', 'e\u0301'),
      )
      .filter((one) => isValid(one))
    return inTransaction((root) =>
      fc.assert(
        fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
          const item = names.reduce<Folder>((at, one) => {
            const known = at.get(one) as Folder | undefined
            return known ?? at.set(one, new Folder())
          }, root)
          const path = pathOf(item)
          expect(path.split('/')).toHaveLength(names.length + 1)
          expect(traverse(root, path)).toBe(item)
          expect(traverse(item, path)).toBe(item)
          expect(traverse(root, names)).toBe(item)
        }),
        { numRuns: 200 },
      ),
    )
  })

  test('follows a move', () =>
    inTransaction((root) => {
      const bob = root.set('Bob', new Employee())
      root.set('folder', new Folder()).set('Robert', bob)
      expect(pathOf(bob)).toBe('/folder/Robert')
    }))

  test.each<[string, () => object, string]>([
    ['is in nothing', () => new Employee(), 'it has no name'],
    [
      'is in a folder that is in nothing',
      () => new Folder().set('Bob', new Employee()),
      'treehook.Folder (not added yet) has no name',
    ],
    [
      'is under a name, and in nothing',
      () => {
        const bob = new Employee()
        bob.__name__ = 'Bob'
        return bob
      },
      'it is in nothing',
    ],
  ])('of an object that %s is refused', (_, make, why) => {
    const object = make()
    expect(codeOfThrown(() => pathOf(object))).toBe('CONTENT_LOCATION')
    expect(() => pathOf(object)).toThrow(
      `content-spec.Employee (not added yet) has no path: ` +
        `Not enough context to determine location root; ${why}`,
    )
  })

  test('of an object that was removed is refused', () =>
    inTransaction((root) => {
      const bob = root.set('Bob', new Employee())
      root.delete('Bob')
      expect(codeOfThrown(() => pathOf(bob))).toBe('CONTENT_LOCATION')
    }))

  test('of parents that run in a circle is refused', () => {
    const folder = new Folder()
    folder.__parent__ = folder
    folder.__name__ = 'folder'
    expect(codeOfThrown(() => pathOf(folder))).toBe('CONTENT_CYCLE')
  })
})

describe('canonicalPath', () => {
  test.each([
    ['/', '/'],
    ['//', '/'],
    ['/a/b', '/a/b'],
    ['/a/b/', '/a/b'],
    ['/a//b', '/a/b'],
    ['/a/./b/.', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/../..', '/'],
    ['/a%2Fb', '/a%2Fb'],
    ['/...', '/...'],
  ])('of %p is %p', (path, expected) => expect(canonicalPath(path)).toBe(expected))

  test.each(['', 'a', './a', '..'])('refuses %p, which is not absolute', (path) => {
    expect(codeOfThrown(() => canonicalPath(path))).toBe('CONTENT_LOCATION')
    expect(() => canonicalPath(path)).toThrow(`"${path}" is no absolute path`)
  })

  test.each(['/..', '/a/../..', '/../a'])('refuses %p, which leads above the root', (path) => {
    expect(codeOfThrown(() => canonicalPath(path))).toBe('CONTENT_LOCATION')
    expect(() => canonicalPath(path)).toThrow(`"${path}" leads above the root`)
  })
})

describe('joinPath', () => {
  test.each<[string, string[], string]>([
    ['/a', [], '/a'],
    ['/a', ['b', 'c'], '/a/b/c'],
    ['/', ['a'], '/a'],
    ['/a/', ['/b/'], '/a/b'],
    ['/a/b', ['..', 'c'], '/a/c'],
    ['/a', ['b/c'], '/a/b/c'],
    ['/a', ['', '.'], '/a'],
  ])('of %p and %p is %p', (path, parts, expected) => {
    expect(joinPath(path, ...parts)).toBe(expected)
  })

  test('refuses what canonicalPath refuses', () => {
    expect(codeOfThrown(() => joinPath('a', 'b'))).toBe('CONTENT_LOCATION')
    expect(codeOfThrown(() => joinPath('/a', '..', '..'))).toBe('CONTENT_LOCATION')
  })
})
