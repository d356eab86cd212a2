import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { alsoProvides, defineInterface } from '../../lib/component/index.js'
import { fits, walkObjects } from '../../lib/content/find-objects.js'
import {
  annotatable,
  annotationFactory,
  annotationsOf,
  Contained,
  type FindOptions,
  Folder,
  findObjects,
  nameOf,
  pathOf,
  type RootFolder,
  Site,
} from '../../lib/content/index.js'
import { type Persistent, stored } from '../../lib/persistence/index.js'
import {
  aDatabaseWith,
  anOffice,
  closeDatabases,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

@annotatable
@stored('find-objects-spec.Product')
class Product extends Contained {}

@stored('find-objects-spec.Note')
class Note extends Contained {}

const noteOf = annotationFactory(Note)

/** A note is stored once something is assigned. */
function withNote(product: Product): Product {
  noteOf(product).__name__ = noteOf(product).__name__
  return product
}

async function paths<T>(root: Persistent, options?: FindOptions<T>): Promise<string[]> {
  const found: string[] = []
  for await (const object of findObjects(root, options)) found.push(pathOf(object as object))
  return found
}

describe('Objects of a tree', () => {
  test('are found by class', async () => {
    const db = await anOffice()
    await db.view(async ({ root }) => {
      expect(await paths(root, { providing: Employee })).toEqual(['/NOAA/NWS/OUN/employees/Bob'])
      expect(await paths(root, { providing: Site })).toEqual([
        '/NOAA',
        '/NOAA/NWS',
        '/NOAA/NWS/OUN',
      ])
    })
  })

  test('are found by interface', async () => {
    const IUrgent = defineInterface('find-objects-spec.IUrgent')
    const db = await anOffice()
    await db.transaction(async ({ root }) => {
      for await (const bob of findObjects(root, { providing: Employee })) alsoProvides(bob, IUrgent)
      expect(await paths(root, { providing: IUrgent })).toEqual(['/NOAA/NWS/OUN/employees/Bob'])
    })
  })

  test('are found by what they are', async () => {
    const db = await anOffice()
    await db.view(async ({ root }) => {
      const short = (object: object): boolean => nameOf(object)?.length === 3
      expect(await paths(root, { matching: short })).toEqual([
        '/NOAA/NWS',
        '/NOAA/NWS/OUN',
        '/NOAA/NWS/OUN/employees/Bob',
      ])
      expect(await paths(root, { providing: Employee, matching: () => false })).toEqual([])
      expect(fits(root, Folder, undefined)).toBe(true)
    })
  })

  test('come with what is above first, then annotations, site managers and items', async () => {
    const db = await aDatabaseWith((root) => {
      const shop = root.set('shop', new Site())
      shop.set('b', withNote(new Product()))
      shop.set('a', new Product())
      annotationsOf(shop).set('z.note', new Note()).set('a.number', 1)
    })
    await db.view(async ({ root }) => {
      const found: string[] = []
      for (const { position } of walkObjects(root)) found.push(`/${position.join('/')}`)
      expect(found).toEqual([
        '/',
        '/shop',
        '/shop/++annotation++z.note',
        '/shop/++etc++site',
        '/shop/++etc++site/default',
        '/shop/a',
        '/shop/b',
        '/shop/b/++annotation++find-objects-spec.Note',
      ])
    })
  })

  test('are found once: an annotation that has its place elsewhere is found there', async () => {
    await inTransaction(async (root) => {
      const [one, other] = [root.set('one', new Product()), root.set('other', new Product())]
      annotationsOf(one).set('spec.related', other)
      annotationsOf(other).set('spec.related', one)
      const loose = withNote(new Product())
      annotationsOf(one).set('spec.loose', loose)
      annotationsOf(loose).set('spec.back', loose)
      const found: object[] = []
      for await (const object of findObjects(root)) found.push(object)
      expect(found).toEqual([root, one, loose, other])
    })
  })

  test('are loaded as they are found', async () => {
    const db = await aDatabaseWith((root) => {
      for (let n = 0; n < 2000; n++) root.set(`n${n}`, new Employee())
    })
    db.objects.cacheClear()
    await db.view(async ({ root, connection }) => {
      for await (const _ of findObjects(root, { providing: Employee })) break
      expect(connection.counters.loads).toBeLessThan(100)
    })
  })

  test('are held no longer than they are looked at', async () => {
    const db = await aDatabaseWith((root) => {
      for (let n = 0; n < 5000; n++) root.set(`n${n}`, new Employee())
    })
    await db.view(async ({ root, connection }) => {
      let most = 0
      let count = 0
      for await (const _ of findObjects(root, { providing: Employee })) {
        count++
        most = Math.max(most, connection.cacheSize)
        if (count % 500 === 0) connection.cacheMinimize()
      }
      expect(count).toBe(5000)
      expect(most).toBeLessThan(1200)
    })
  })

  test('let others work meanwhile', async () => {
    const db = await aDatabaseWith((root) => {
      for (let n = 0; n < 5000; n++) root.set(`n${n}`, new Employee())
    })
    let turns = 0
    const ticking = setInterval(() => turns++, 0)
    await db.view(({ root }) => paths(root, { providing: Site }))
    clearInterval(ticking)
    expect(turns).toBeGreaterThan(0)
  })

  test('are found no more once the signal says so', async () => {
    const db = await anOffice()
    await db.view(async ({ root }) => {
      const controller = new AbortController()
      const found: object[] = []
      const walk = async (): Promise<void> => {
        for await (const object of findObjects(root, { signal: controller.signal })) {
          found.push(object)
          controller.abort(new Error('enough'))
        }
      }
      await expect(walk()).rejects.toThrow('enough')
      expect(found).toHaveLength(1)
      await expect(walk()).rejects.toThrow('enough')
    })
  })
})

describe('A walk', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd')
  const tree = fc.array(fc.array(name, { minLength: 1, maxLength: 4 }), { maxLength: 12 })

  test('goes on behind any position, whatever has come and gone', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, fc.array(name, { maxLength: 4 }), async (before, more, gone) => {
        await inTransaction((root) => {
          for (const path of before) grow(root, path)
          const all = [...walkObjects(root)].map(({ position }) => position)
          for (const [index, position] of all.entries()) {
            const rest = [...walkObjects(root, position)].map((one) => one.position)
            expect(rest).toEqual(all.slice(index + 1))
          }
          const after = all[Math.floor(all.length / 2)] ?? []
          for (const path of more) grow(root, path)
          cut(root, gone)
          const now = [...walkObjects(root)].map(({ position }) => position)
          const rest = [...walkObjects(root, after)].map(({ position }) => position)
          expect(rest).toEqual(now.filter((position) => compare(position, after) > 0))
        })
      }),
      { numRuns: 40 },
    )
  })
})

function grow(root: RootFolder, path: readonly string[]): void {
  let at: Folder = root
  for (const name of path) at = (at.get(name) as Folder | undefined) ?? at.set(name, new Folder())
}

function cut(root: RootFolder, path: readonly string[]): void {
  let at: Folder | undefined = root
  for (const name of path.slice(0, -1)) at = at?.get(name) as Folder | undefined
  const last = path.at(-1)
  if (last !== undefined) at?.delete(last)
}

/** By name; what is above comes first. */
function compare(one: readonly string[], other: readonly string[]): number {
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    if (one[at] !== other[at]) return one[at]! < other[at]! ? -1 : 1
  }
  return one.length - other.length
}
