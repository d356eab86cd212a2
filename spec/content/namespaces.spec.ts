import { afterEach, describe, expect, test } from '@jest/globals'
import { defineInterface, implementer } from '../../lib/component/index.js'
import {
  Folder,
  IEtcNamespace,
  ITraversable,
  IView,
  queryTraverse,
  Site,
  traverse,
} from '../../lib/content/index.js'
import { stored } from '../../lib/persistence/index.js'
import {
  aDatabaseWith,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

describe('++etc++name', () => {
  test('is the utility of that name for IEtcNamespace, from everywhere below its site', async () => {
    const db = await aDatabaseWith((root) => {
      const site = root.set('site', new Site())
      const tools = site.siteManager.default.set('tools', new Folder())
      site.siteManager.registry.registerUtility(tools, { provides: IEtcNamespace, name: 'tools' })
      site.set('folder', new Folder()).set('Bob', new Employee())
    })
    await db.view(({ root }) => {
      const tools = traverse(root, '/site/++etc++site/default/tools')
      expect(traverse(root, '/site/++etc++tools')).toBe(tools)
      expect(traverse(root, '/site/folder/Bob/++etc++tools')).toBe(tools)
      expect(queryTraverse(root, '/++etc++tools')).toBeUndefined()
    })
  })

  test('named site is the utility before the manager', () =>
    inTransaction((root, db) => {
      const site = root.set('site', new Site())
      expect(traverse(root, '/site/++etc++site')).toBe(site.siteManager)
      const own = {}
      db.registry.registerUtility(own, { provides: IEtcNamespace, name: 'site' })
      expect(traverse(root, '/site/++etc++site')).toBe(own)
    }))
})

describe('A view', () => {
  interface ICard {
    readonly text: string
  }
  const ICard = defineInterface<ICard>('namespaces-spec.ICard', { extends: [IView] })

  test('is the adapter of that name, reached as @@name and as ++view++name', () =>
    inTransaction((root, db) => {
      db.registry.registerAdapter(
        (employee) => {
          const card: ICard = { text: (employee as Employee).title }
          return card
        },
        { adapts: [Employee], provides: ICard, name: 'card' },
      )
      root.set('Bob', new Employee()).title = 'Chief'
      for (const path of ['/Bob/@@card', '/Bob/++view++card']) {
        expect(traverse(root, path)).toEqual({ text: 'Chief' })
      }
    }))

  test('is looked for by name only: no name, and no other one, lead anywhere', () =>
    inTransaction((root) => {
      root.set('Bob', new Employee())
      for (const path of ['/Bob/@@', '/Bob/++view++', '/Bob/@@toString', '/Bob/++view++title']) {
        expect(queryTraverse(root, path)).toBeUndefined()
      }
    }))
})

describe('++item++name', () => {
  test('is the item of a container that would lead elsewhere by itself', () =>
    inTransaction((root) => {
      @stored('namespaces-spec.Guarded')
      @implementer(ITraversable)
      class Guarded extends Folder implements ITraversable {
        traverse(_name: string): undefined {
          return undefined
        }
      }
      const bob = root.set('guarded', new Guarded()).set('Bob', new Employee())
      expect(queryTraverse(root, '/guarded/Bob')).toBeUndefined()
      expect(traverse(root, '/guarded/++item++Bob')).toBe(bob)
      expect(queryTraverse(root, '/guarded/Bob/++item++x')).toBeUndefined()
    }))
})

describe('++acquire++name', () => {
  test('is the nearest of that name, here or above', () =>
    inTransaction((root) => {
      const logo = root.set('logo', new Employee())
      const inner = root.set('a', new Folder()).set('b', new Folder())
      expect(traverse(inner, '++acquire++logo')).toBe(logo)
      const own = inner.set('logo', new Employee())
      expect(traverse(inner, '++acquire++logo')).toBe(own)
      expect(traverse(root, '/a/++acquire++logo')).toBe(logo)
      expect(queryTraverse(inner, '++acquire++none')).toBeUndefined()
    }))

  test('goes no further than two hundred objects', () =>
    inTransaction((root) => {
      root.set('logo', new Employee())
      let folder: Folder = root
      for (let depth = 0; depth < 199; depth++) folder = folder.set('in', new Folder())
      expect(traverse(folder, '++acquire++logo')).toBe(root.get('logo'))
      const deeper = folder.set('in', new Folder())
      expect(codeOfThrown(() => traverse(deeper, '++acquire++logo'))).toBe('CONTENT_LOCATION')
      expect(() => traverse(deeper, '++acquire++logo')).toThrow('no more than 200 objects')
    }))
})

describe('A namespace', () => {
  test('that is not ended, or that nobody knows, leads nowhere', () =>
    inTransaction((root) => {
      for (const path of ['/++', '/++x', '/++x++', '/++x++y', '/++++', '/@@']) {
        expect(codeOfThrown(() => traverse(root, path))).toBe('CONTENT_LOCATION')
      }
    }))
})
