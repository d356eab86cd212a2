import { afterEach, describe, expect, test } from '@jest/globals'
import {
  Container,
  Folder,
  queryTraverse,
  type RootFolder,
  Site,
  traverse,
  walk,
} from '../../lib/content/index.js'
import { PathMemo } from '../../lib/content/path-memo.js'
import { stored } from '../../lib/persistence/index.js'
import {
  anOffice,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  type TreeDatabase,
} from '../support/content-builders.js'

// That it is never out of date, spec/properties/places-remembered.spec.ts shows.

afterEach(closeDatabases)

const BOB = '/NOAA/NWS/OUN/employees/Bob'

function remembered(root: RootFolder, path: string): object | undefined {
  return PathMemo.of(root).query(path)
}

async function readsOf(
  db: TreeDatabase,
  options: { isolation?: 'serializable' },
): Promise<boolean> {
  return db.objects.transaction(({ rootMapping }) => {
    const root = rootMapping.get('root') as RootFolder
    const bob = traverse(root, BOB)
    return remembered(root, BOB) === bob
  }, options)
}

describe('The memo of paths', () => {
  test('knows where a path from the root led, in this transaction and the next', async () => {
    const db = await anOffice()
    const first = await db.view(({ root }) => {
      expect(remembered(root, BOB)).toBeUndefined()
      const bob = traverse(root, BOB)
      expect(remembered(root, BOB)).toBe(bob)
      return bob
    })
    const title = await db.view(({ root }) => {
      expect(remembered(root, BOB)).toBe(first)
      return (traverse(root, BOB) as Employee).title
    })
    expect(title).toBe('')
  })

  test('forgets when somebody has committed', async () => {
    const db = await anOffice()
    await db.view(({ root }) => traverse(root, BOB))
    await db.transaction(({ root }) => void root.set('new', new Folder()))
    await db.view(({ root }) => expect(remembered(root, BOB)).toBeUndefined())
  })

  test('does not answer for what leads through a container that was changed', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      traverse(root, BOB)
      traverse(root, '/NOAA')
      traverse(root, '/NOAA/NWS/OUN/employees', Folder).set('Ann', new Employee())
      expect(remembered(root, BOB)).toBeUndefined()
      expect(remembered(root, '/NOAA')).toBe(root.get('NOAA'))
      traverse(root, BOB)
      expect(remembered(root, BOB)).toBeUndefined()
    })
  })

  test('leaves no read unnoted in a serializable transaction', async () => {
    const db = await anOffice()
    expect(await readsOf(db, {})).toBe(true)
    expect(await readsOf(db, { isolation: 'serializable' })).toBe(false)
  })

  test('takes in only what plain containers lead to, by their own tree', () =>
    inTransaction((root) => {
      @stored('path-memo-spec.Shy')
      class Shy extends Folder {
        override get(_name: string): undefined {
          return undefined
        }
      }
      root.set('shy', new Shy()).set('Bob', new Employee())
      expect(queryTraverse(root, '/shy/Bob')).toBeUndefined()
      expect(Container.prototype.get.call(root.get('shy'), 'Bob')).toBeInstanceOf(Employee)
      root.set('site', new Site())
      traverse(root, '/site/++etc++site')
      expect(remembered(root, '/site/++etc++site')).toBeUndefined()
    }))

  test('keeps the paths that were used last, of any number', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      const folder = root.set('many', new Folder())
      for (let nr = 0; nr < 3000; nr++) folder.set(`e${nr}`, new Employee())
    })
    await db.view(({ root }) => {
      for (let nr = 0; nr < 3000; nr++) {
        traverse(root, '/many/e0')
        traverse(root, `/many/e${nr}`)
      }
      expect(remembered(root, '/many/e0')).toBe(traverse(root, '/many/e0'))
      expect(remembered(root, '/many/e2999')).toBeDefined()
      expect(remembered(root, '/many/e1')).toBeUndefined()
    })
  })

  test('lets nobody read who could not walk there', async () => {
    const db = await anOffice()
    const root = await db.view((context) => {
      traverse(context.root, BOB)
      return context.root
    })
    expect(codeOfThrown(() => traverse(root, BOB))).toBe('nothing')
    let begun = (): void => {}
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    let end = (): void => {}
    const mayEnd = new Promise<void>((resolve) => (end = resolve))
    // Without the root folder, which would then be this one's.
    const other = db.objects.view(async () => {
      begun()
      await mayEnd
    })
    await hasBegun
    for (const go of [walk, traverse]) {
      expect(codeOfThrown(() => go(root, BOB))).toBe('PERSISTENCE_STALE_OBJECT')
    }
    end()
    await other
  })
})
