import { afterEach, describe, expect, test } from '@jest/globals'
import { defineInterface, globalRegistry, implementer } from '../../lib/component/index.js'
import {
  Contained,
  Folder,
  IContainer,
  IFolder,
  type ILocation,
  IRoot,
  ISite,
  ITraversable,
  pathOf,
  queryTraverse,
  runInSite,
  Site,
  SiteManager,
  traverse,
  traverseName,
} from '../../lib/content/index.js'
import { field, stored } from '../../lib/persistence/index.js'
import {
  anOffice,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

/** Leads to a card for each name that begins with `card`. */
@stored('content-spec.Rolodex')
@implementer(ITraversable)
class Rolodex extends Contained implements ITraversable {
  traverse(name: string): unknown {
    return name.startsWith('card') ? new Card(this, name) : undefined
  }
}

class Card implements ILocation {
  readonly __parent__: ILocation
  readonly __name__: string

  constructor(parent: ILocation, name: string) {
    this.__parent__ = parent
    this.__name__ = name
  }
}

/** Its items are found under their names in capitals only. */
@stored('content-spec.LoudFolder')
@implementer(ITraversable)
class LoudFolder extends Folder implements ITraversable {
  traverse(name: string): unknown {
    return name === name.toUpperCase() ? this.get(name.toLowerCase()) : undefined
  }
}

function messageOf(fn: () => unknown): string {
  try {
    fn()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('It threw nothing')
}

describe('A path', () => {
  test('is absolute, from the root above the context, when it begins with a slash', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const bob = traverse(root, '/NOAA/NWS/OUN/employees/Bob')
      expect(bob).toBeInstanceOf(Employee)
      expect(traverse(bob, '/NOAA/NWS')).toBe(traverse(root, 'NOAA/NWS'))
      expect(traverse(bob, '/')).toBe(root)
    })
  })

  test('is relative to the context otherwise, and leads to the context when empty', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const oun = traverse(root, 'NOAA/NWS/OUN')
      expect(pathOf(traverse(oun, 'employees/Bob'))).toBe('/NOAA/NWS/OUN/employees/Bob')
      expect([traverse(oun, ''), traverse(oun, '.')]).toEqual([oun, oun])
    })
  })

  test.each([
    ['/NOAA/./NWS', '/NOAA/NWS'],
    ['/NOAA/NWS/..', '/NOAA'],
    ['/NOAA/../NOAA/NWS/', '/NOAA/NWS'],
    ['/NOAA/', '/NOAA'],
    ['/NOAA/NWS/OUN/employees/Bob/../..', '/NOAA/NWS/OUN'],
    ['./NOAA', '/NOAA'],
    ['NOAA/NWS/../../', '/'],
  ])('%s leads to %s', async (path, expected) => {
    const db = await anOffice()
    await db.view(({ root }) => expect(pathOf(traverse(root, path))).toBe(expected))
  })

  test.each(['//', '//NOAA', '/NOAA//NWS', 'NOAA//', 'NOAA//NWS/'])(
    '%s is refused for the empty name in it',
    async (path) => {
      const db = await anOffice()
      await db.view(({ root }) => {
        expect(codeOfThrown(() => traverse(root, path))).toBe('CONTENT_LOCATION')
        expect(() => traverse(root, path)).toThrow(`"${path}" has an empty name`)
      })
    },
  )

  test('that is no text is refused', () =>
    inTransaction((root) => {
      expect(codeOfThrown(() => traverse(root, 7 as unknown as string))).toBe('CONTENT_LOCATION')
    }))

  test('does not lead above the root, nor above what is in nothing', () =>
    inTransaction((root) => {
      root.set('a', new Folder())
      for (const path of ['/..', '..', '/a/../..', 'a/../../a']) {
        expect(codeOfThrown(() => traverse(root, path))).toBe('CONTENT_LOCATION')
        expect(messageOf(() => traverse(root, path))).toBe(
          `The path "${path}" leads above the root folder`,
        )
      }
      expect(messageOf(() => traverse(new Folder(), '..'))).toBe(
        'The path ".." leads above treehook.Folder (not added yet), which is in nothing',
      )
    }))

  test('may be given as names, which are taken as they are', () =>
    inTransaction((root) => {
      const item = root.set('a/b', new Folder()).set('100%2F', new Employee())
      expect(traverse(root, ['a/b', '100%2F'])).toBe(item)
      expect(traverse(root, ['a/b', '.', '100%2F', '..'])).toBe(root.get('a/b'))
      expect(traverse(item, [])).toBe(item)
      expect(queryTraverse(root, ['a%2Fb'])).toBeUndefined()
      expect(traverseName(root, 'a/b', Folder)).toBe(root.get('a/b'))
      expect(traverseName(item, '..')).toBe(root.get('a/b'))
      expect(codeOfThrown(() => traverseName(root, 'a/b/100%2F'))).toBe('CONTENT_LOCATION')
      for (const names of [[''], ['a/b', ''], [7 as unknown as string], ['/']]) {
        expect(codeOfThrown(() => traverse(root, names))).toBe('CONTENT_LOCATION')
      }
    }))

  test.each(['\ud800', 'a\udc00', '/\ud800/x', '\0', '__proto__', 'constructor/prototype'])(
    'that is hostile leads nowhere: %j',
    (path) =>
      inTransaction((root) => {
        root.set('site', new Site())
        expect(codeOfThrown(() => traverse(root, path))).toBe('CONTENT_LOCATION')
        expect(queryTraverse(root, path)).toBeUndefined()
      }),
  )

  test('tells names apart that look the same, and says so', () =>
    inTransaction((root) => {
      const [composed, decomposed] = ['\u00e9', 'e\u0301']
      const one = root.set(composed, new Employee())
      expect(traverse(root, `/${composed}`)).toBe(one)
      expect(messageOf(() => traverse(root, decomposed))).toMatch(
        /normalization form NFC is there$/,
      )
      const other = root.set(decomposed, new Employee())
      expect(traverse(root, decomposed)).toBe(other)
      expect(traverse(root, pathOf(one))).toBe(one)
      expect(traverse(root, pathOf(other))).toBe(other)
    }))

  test('from an object outside the tree must be relative', () => {
    const folder = new Folder()
    const bob = folder.set('Bob', new Employee())
    expect(traverse(folder, 'Bob')).toBe(bob)
    expect(codeOfThrown(() => traverse(folder, '/Bob'))).toBe('CONTENT_LOCATION')
  })

  test.each([
    'a/b',
    '100%',
    '%2F',
    '%',
    '/',
    '%25',
    '%252F',
    '__proto__',
    'constructor',
    ' ',
    'é😀',
  ])('that pathOf gives leads to the item named %p', (name) =>
    inTransaction((root) => {
      const item = root.set('in', new Folder()).set(name, new Employee())
      const path = pathOf(item)
      expect(path.split('/')).toHaveLength(3)
      expect(traverse(root, path)).toBe(item)
      expect(root.get('in')).toBe(traverse(item, '..'))
    }),
  )

  test('writes a slash in a name as %2F, in either case of letters', () =>
    inTransaction((root) => {
      const item = root.set('a/b', new Employee())
      expect([traverse(root, '/a%2Fb'), traverse(root, '/a%2fb')]).toEqual([item, item])
      expect(queryTraverse(root, '/a/b')).toBeUndefined()
    }))
})

describe('Traversal', () => {
  test.each(['constructor', 'toString', '__proto__', '__parent__', 'size', 'get', 'siteManager'])(
    'reads no property named %s',
    (name) =>
      inTransaction((root) => {
        root.set('site', new Site())
        root.set('Bob', new Employee())
        for (const path of [name, `site/${name}`, `Bob/${name}`]) {
          expect(codeOfThrown(() => traverse(root, path))).toBe('CONTENT_LOCATION')
        }
      }),
  )

  test('reads no field of an object: title leads nowhere', () =>
    inTransaction((root) => {
      root.set('Bob', new Employee()).title = 'Chief'
      expect(queryTraverse(root, '/Bob/title')).toBeUndefined()
    }))

  test('finds a site manager at ++etc++site of a site, and nowhere else', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const manager = traverse(root, '/NOAA/++etc++site', SiteManager)
      expect(manager).toBe(traverse(root, 'NOAA', Site).siteManager)
      expect(traverse(root, '/NOAA/++etc++site/default')).toBe(manager.default)
      expect(traverse(root, '/NOAA/++etc++site/..')).toBe(root.get('NOAA'))
      const path = '/NOAA/NWS/OUN/employees/++etc++site'
      expect(queryTraverse(root, path)).toBeUndefined()
      expect(queryTraverse(root, '/NOAA/++etc++other')).toBeUndefined()
    })
  })

  test('asks an object that is ITraversable in place of its items', () =>
    inTransaction((root) => {
      root.set('rolodex', new Rolodex())
      const bob = root.set('loud', new LoudFolder()).set('bob', new Employee())
      expect(pathOf(traverse(root, '/rolodex/card 7'))).toBe('/rolodex/card 7')
      expect(queryTraverse(root, '/rolodex/7')).toBeUndefined()
      expect(traverse(root, '/loud/BOB')).toBe(bob)
      expect(queryTraverse(root, '/loud/bob')).toBeUndefined()
    }))

  test('leads up from and stays at an object that is ITraversable', () =>
    inTransaction((root) => {
      const rolodex = root.set('rolodex', new Rolodex())
      expect(traverse(root, '/rolodex/.')).toBe(rolodex)
      expect(traverse(root, '/rolodex/..')).toBe(root)
      expect(traverse(root, '/rolodex/card/..')).toBe(rolodex)
    }))

  test('asks the adapter to ITraversable where there is no such item', () =>
    inTransaction((root, db) => {
      db.registry.registerAdapter(
        (employee) => ({ traverse: (name: string) => new Card(employee as Employee, name) }),
        { adapts: [Employee], provides: ITraversable },
      )
      root.set('Bob', new Employee())
      expect(traverse(root, '/Bob/photo')).toBeInstanceOf(Card)
      expect(pathOf(traverse(root, '/Bob/photo'))).toBe('/Bob/photo')
    }))

  test('prefers the item to what an adapter finds', () =>
    inTransaction((root, db) => {
      db.registry.registerAdapter(() => ({ traverse: () => new Employee() }), {
        adapts: [IFolder],
        provides: ITraversable,
      })
      const bob = root.set('Bob', new Employee())
      expect(traverse(root, '/Bob')).toBe(bob)
      expect(traverse(root, '/Eve')).not.toBe(bob)
    }))

  test('finds adapters in the registry of the place, whatever the current one is', async () => {
    const db = await anOffice()
    db.registry.registerAdapter(() => ({ traverse: (name: string) => ({ name }) }), {
      adapts: [Employee],
      provides: ITraversable,
    })
    await db.objects.view(({ rootMapping }) => {
      const root = rootMapping.get('root') as Folder
      expect(traverse(root, '/NOAA/NWS/OUN/employees/Bob/x')).toEqual({ name: 'x' })
    })
  })

  test('finds adapters in the registry of the call for what is in no database', () =>
    inTransaction((root, db) => {
      db.registry.registerAdapter(() => ({ traverse: (name: string) => ({ name }) }), {
        adapts: [Employee],
        provides: ITraversable,
      })
      const site = root.set('site', new Site())
      expect(traverse(new Employee(), 'x')).toEqual({ name: 'x' })
      expect(runInSite(site, () => traverse(new Employee(), 'x'))).toEqual({ name: 'x' })
      expect(globalRegistry.queryAdapter(new Employee(), ITraversable)).toBeUndefined()
    }))

  test('takes the adapter of the name in ++adapter++name', () =>
    inTransaction((root, db) => {
      const adapter = { traverse: (name: string) => ({ name }) }
      db.registry.registerAdapter(() => adapter, {
        adapts: [Employee],
        provides: ITraversable,
        name: 'files',
      })
      root.set('Bob', new Employee())
      expect(traverse(root, '/Bob/++adapter++files')).toBe(adapter)
      expect(queryTraverse(root, '/Bob/++adapter++none')).toBeUndefined()
      expect(queryTraverse(root, '/Bob/files')).toBeUndefined()
    }))

  test('asks the adapter named as an unknown namespace for the name in it', () =>
    inTransaction((root, db) => {
      db.registry.registerAdapter(() => ({ traverse: (name: string) => ({ name }) }), {
        adapts: [Employee],
        provides: ITraversable,
        name: 'skin',
      })
      root.set('Bob', new Employee())
      expect(traverse(root, '/Bob/++skin++dark')).toEqual({ name: 'dark' })
      expect(queryTraverse(root, '/Bob/++other++dark')).toBeUndefined()
      expect(queryTraverse(root, '/Bob/++skin')).toBeUndefined()
    }))

  test('steps into what provides IContainer without being one of ours', () => {
    class Box {
      readonly __parent__ = undefined
      readonly __name__ = undefined
      get(name: string): unknown {
        return name === 'inside' ? this : undefined
      }
      has(name: string): boolean {
        return name === 'inside'
      }
    }
    implementer(IContainer)(Box)
    const box = new Box()
    expect(traverse(box, 'inside/inside')).toBe(box)
    expect(queryTraverse(box, 'outside')).toBeUndefined()
  })

  test('says where it ends when an ITraversable gave it no object', () =>
    inTransaction((root, db) => {
      db.registry.registerAdapter(() => ({ traverse: () => 'a text' }), {
        adapts: [Employee],
        provides: ITraversable,
      })
      root.set('Bob', new Employee())
      expect(codeOfThrown(() => traverse(root, '/Bob/text/more'))).toBe('CONTENT_LOCATION')
      expect(messageOf(() => traverse(root, '/Bob/text', Employee))).toContain('the string a text')
    }))

  test('says where it ends at an object without prototype', () =>
    inTransaction((root, db) => {
      db.registry.registerAdapter(() => ({ traverse: () => Object.create(null) as object }), {
        adapts: [Employee],
        provides: ITraversable,
      })
      root.set('Bob', new Employee())
      expect(codeOfThrown(() => traverse(root, '/Bob/bare/more'))).toBe('CONTENT_LOCATION')
    }))
})

describe('What is expected at the end of a path', () => {
  const INothing = defineInterface('content-spec.INothing')

  test('is a class, of which the object is an instance', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const bob: Employee = traverse(root, '/NOAA/NWS/OUN/employees/Bob', Employee)
      expect(bob.title).toBe('')
      expect(traverse(root, '/NOAA', Folder)).toBe(root.get('NOAA'))
      expect(codeOfThrown(() => traverse(root, '/NOAA', Employee))).toBe('CONTENT_LOCATION')
      expect(messageOf(() => traverse(root, '/NOAA', Employee))).toMatch(
        /^At "\/NOAA" there is treehook\.Site at \/NOAA \(oid \w+\), not Employee$/,
      )
    })
  })

  test('is an interface, which the object provides', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      expect(traverse(root, '/NOAA', ISite)).toBe(root.get('NOAA'))
      expect(traverse(root, '/', IRoot)).toBe(root)
      expect(messageOf(() => traverse(root, '/NOAA', INothing))).toContain(
        'not content-spec.INothing',
      )
    })
  })
})

describe('The error of a path that leads nowhere', () => {
  test('says how far the path went, and what is there', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const path = '/NOAA/NSW/OUN'
      expect(messageOf(() => traverse(root, path))).toBe(
        'The path "/NOAA/NSW/OUN" ends at /NOAA: there is no "NSW" in it; it has "NWS"',
      )
      expect(() => traverse(root, path)).toThrow(
        expect.objectContaining({ details: { path, reached: '/NOAA', name: 'NSW' } }),
      )
    })
  })

  test('names ten items and counts the rest', () =>
    inTransaction((root) => {
      for (let nr = 0; nr < 10; nr++) root.set(`e${nr}`, new Employee())
      expect(messageOf(() => traverse(root, 'x'))).toMatch(/it has "e0", .*, "e9"$/)
      root.set('f', new Employee())
      root.set('g', new Employee())
      expect(messageOf(() => traverse(root, 'x'))).toMatch(/it has "e0", .*, "e9", and 2 more$/)
    }))

  test('says when nothing is there, and when nothing can be', () =>
    inTransaction((root) => {
      root.set('folder', new Folder())
      root.set('Bob', new Employee())
      expect(messageOf(() => traverse(root, 'folder/x'))).toMatch(/it is empty$/)
      expect(messageOf(() => traverse(root, 'Bob/x'))).toBe(
        'The path "Bob/x" ends at /Bob: there is no "x" in it; it contains nothing',
      )
    }))

  test('describes an object that has no path', () => {
    expect(messageOf(() => traverse(new Folder(), 'x'))).toBe(
      'The path "x" ends at treehook.Folder (not added yet): there is no "x" in it; it is empty',
    )
  })
})

describe('queryTraverse', () => {
  test('gives undefined for what is there and is not as expected', () =>
    inTransaction((root) => {
      const bob = root.set('Bob', new Employee())
      expect(queryTraverse(root, 'Bob', Employee)).toBe(bob)
      expect(queryTraverse(root, 'Bob', Folder)).toBeUndefined()
      expect(queryTraverse(root, 'Bob', ISite)).toBeUndefined()
    }))

  test('gives undefined for what leads nowhere, and lets other errors through', () =>
    inTransaction((root, db) => {
      const bob = root.set('Bob', new Employee())
      expect([queryTraverse(root, 'Bob'), queryTraverse(root, 'Eve')]).toEqual([bob, undefined])
      expect(queryTraverse(root, 'a//b')).toBeUndefined()
      expect(queryTraverse(new Folder(), '/Bob')).toBeUndefined()
      db.registry.registerAdapter(
        () => ({
          traverse: () => {
            throw new RangeError('broken')
          },
        }),
        { adapts: [Employee], provides: ITraversable },
      )
      expect(() => queryTraverse(root, 'Bob/x')).toThrow(RangeError)
    }))
})

// A field named as an item is: the item is found, the field never is.
test('Traversal tells items from fields of the same name', () =>
  inTransaction((root) => {
    @stored('content-spec.Office')
    class Office extends Folder {
      @field accessor boss = 'Eve'
    }
    const office = root.set('office', new Office())
    expect(queryTraverse(root, '/office/boss')).toBeUndefined()
    const boss = office.set('boss', new Employee())
    expect(traverse(root, '/office/boss')).toBe(boss)
  }))
