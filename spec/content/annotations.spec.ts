import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { alsoProvides, defineInterface, getUtility } from '../../lib/component/index.js'
import { annotationTreeOf } from '../../lib/content/annotatable.js'
import { annotationName } from '../../lib/content/annotations.js'
import {
  annotatable,
  annotationFactory,
  annotationsOf,
  Contained,
  copyOf,
  exportObject,
  Folder,
  IAnnotations,
  IAttributeAnnotatable,
  IObjectModifiedEvent,
  modified,
  nameOf,
  type ObjectModifiedEvent,
  pathOf,
  queryAnnotations,
  type RootFolder,
  Site,
  traverse,
} from '../../lib/content/index.js'
import { field, importObject, stateOf, stored } from '../../lib/persistence/index.js'
import {
  aDatabase,
  aMemoryPlace,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  race,
} from '../support/content-builders.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(closeDatabases)
afterEach(() => directories.removeAll())

@annotatable
@stored('annotations-spec.Product')
class Product extends Contained {
  @field accessor title = ''
}

@stored('annotations-spec.Note')
class Note extends Contained {
  @field accessor text = ''
}

const product = (root: RootFolder): Product => root.getItem('tea') as Product

describe('Annotations of an object', () => {
  test('are values by key', async () => {
    await inTransaction((root) => {
      const annotations = annotationsOf(root.set('tea', new Product()))
      annotations.set('shop.rating', 5).set('shop.colour', 'green')
      expect(annotations.get('shop.rating')).toBe(5)
      expect(annotations.getItem('shop.colour')).toBe('green')
      expect(annotations.has('shop.rating')).toBe(true)
      expect([...annotations]).toEqual([
        ['shop.colour', 'green'],
        ['shop.rating', 5],
      ])
      expect([...annotations.keys()]).toEqual(['shop.colour', 'shop.rating'])
      expect([...annotations.values()]).toEqual(['green', 5])
      expect(annotations.size).toBe(2)
      expect(annotations.delete('shop.rating')).toBe(true)
      expect(annotations.size).toBe(1)
    })
  })

  test('are none at first', async () => {
    await inTransaction((root) => {
      const annotations = annotationsOf(root.set('tea', new Product()))
      expect(annotations.get('shop.rating')).toBeUndefined()
      expect(annotations.has('shop.rating')).toBe(false)
      expect(annotations.delete('shop.rating')).toBe(false)
      expect([...annotations, ...annotations.keys(), ...annotations.values()]).toEqual([])
      expect(annotations.size).toBe(0)
      expect(codeOfThrown(() => annotations.getItem('shop.rating'))).toBe(
        'PERSISTENCE_KEY_NOT_FOUND',
      )
    })
  })

  test('name the object and the key that is not there', async () => {
    await inTransaction((root) => {
      const tea = root.set('tea', new Product())
      expect(() => annotationsOf(tea).getItem('shop.rating')).toThrow(/tea.*"shop\.rating"/)
    })
  })

  test('are stored with the object', async () => {
    const open = aMemoryPlace()
    const db = await open()
    await db.transaction(({ root }) => {
      annotationsOf(root.set('tea', new Product())).set('shop.tags', ['hot', 'green'])
    })
    await db.close()
    const again = await open()
    await again.view(({ root }) => {
      expect(annotationsOf(product(root)).get('shop.tags')).toEqual(['hot', 'green'])
    })
  })

  test('are not written by reading, nor by deleting what is not there', async () => {
    const db = await aDatabase()
    await db.transaction(({ root }) => void root.set('tea', new Product()))
    const { lastTid } = db.objects
    await db.transaction(({ root }) => {
      const annotations = annotationsOf(product(root))
      annotations.get('shop.rating')
      annotations.has('shop.rating')
      annotations.delete('shop.rating')
      expect(stateOf(product(root))).toBe('upToDate')
    })
    expect(db.objects.lastTid).toBe(lastTid)
  })

  test('write the object once: later ones are the tree’s', async () => {
    const db = await aDatabase()
    await db.transaction(({ root }) => {
      annotationsOf(root.set('tea', new Product())).set('shop.rating', 4)
    })
    await db.transaction(({ root }) => {
      annotationsOf(product(root)).set('shop.rating', 5)
      expect(stateOf(product(root))).toBe('upToDate')
    })
  })

  test('of two keys, set by two transactions at once, do not conflict', async () => {
    const db = await aDatabase()
    await db.transaction(({ root }) => {
      annotationsOf(root.set('tea', new Product())).set('shop.rating', 4)
    })
    await race(
      db,
      (root) => void annotationsOf(product(root)).set('shop.colour', 'green'),
      (root) => void annotationsOf(product(root)).set('wiki.page', 'Tea'),
    )
    await db.view(({ root }) => expect(annotationsOf(product(root)).size).toBe(3))
  })

  test('set while their object is removed, or something above it, conflict', async () => {
    const db = await aDatabase()
    await db.transaction(({ root }) => {
      const shelf = root.set('shelf', new Folder())
      for (const tea of [root.set('tea', new Product()), shelf.set('tea', new Product())]) {
        annotationsOf(tea).set('shop.rating', 4)
      }
    })
    for (const [path, gone] of [
      ['/tea', 'tea'],
      ['/shelf/tea', 'shelf'],
    ] as const) {
      const losing = race(
        db,
        (root) => void root.delete(gone),
        (root) => void annotationsOf(traverse(root, path)).set('shop.rating', 5),
      )
      await expect(losing).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' })
    }
  })

  test('that are sites move with their object', async () => {
    const ITheme = defineInterface('annotations-spec.ITheme')
    await inTransaction((root) => {
      const [light, dark] = [root.set('light', new Site()), root.set('dark', new Site())]
      for (const site of [light, dark]) {
        const theme = new Note()
        theme.text = nameOf(site)!
        site.siteManager.default.set('theme', theme)
        site.siteManager.registry.registerUtility(theme, { provides: ITheme })
      }
      const tea = light.set('tea', new Product())
      const inner = annotationFactory(Site, { key: 'shop.site' })(tea)
      inner.set('item', new Note())
      const themeAt = (): unknown => getUtility(ITheme, { context: inner.getItem('item') })
      expect(themeAt()).toMatchObject({ text: 'light' })
      dark.set('tea', tea)
      expect(themeAt()).toMatchObject({ text: 'dark' })
    })
  })

  test('go with an abort', async () => {
    const db = await aDatabase()
    await db.transaction(({ root }) => void root.set('tea', new Product()))
    const failing = db.transaction(({ root }) => {
      annotationsOf(product(root)).set('shop.rating', 5)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await db.view(({ root }) => expect(annotationTreeOf(product(root))).toBeUndefined())
  })

  test('have plain values that are frozen', async () => {
    await inTransaction((root) => {
      const annotations = annotationsOf(root.set('tea', new Product()))
      const tags = annotations.set('shop.tags', ['hot']).get('shop.tags') as string[]
      expect(() => tags.push('green')).toThrow(TypeError)
    })
  })

  test.each([
    ['a number', 7],
    ['nothing', ''],
    ['a missing one', undefined],
  ])('refuse a key that is %s', async (_, key) => {
    await inTransaction((root) => {
      const annotations = annotationsOf(root.set('tea', new Product()))
      expect(codeOfThrown(() => annotations.set(key as string, 1))).toBe('PERSISTENCE_INVALID_KEY')
      expect(annotations.get(key as string)).toBeUndefined()
    })
  })

  test('that cannot be stored leave the object as it was', async () => {
    await inTransaction((root) => {
      const tea = root.set('tea', new Product())
      expect(codeOfThrown(() => annotationsOf(tea).set('shop.rate', () => 5))).toBe(
        'PERSISTENCE_UNSTORABLE_VALUE',
      )
      expect(annotationTreeOf(tea)).toBeUndefined()
    })
  })

  test('are refused for what cannot be annotated', async () => {
    await inTransaction((root) => {
      const bob = root.set('Bob', new Employee())
      expect(queryAnnotations(bob)).toBeUndefined()
      expect(codeOfThrown(() => annotationsOf(bob))).toBe('CONTENT_NOT_ANNOTATABLE')
      expect(() => annotationsOf(bob)).toThrow(/Bob.*@annotatable/)
      expect(queryAnnotations(Object.create(Product.prototype) as object)).toBeUndefined()
      // Without the field nothing would be stored.
      alsoProvides(bob, IAttributeAnnotatable)
      expect(codeOfThrown(() => annotationsOf(bob))).toBe('CONTENT_NOT_ANNOTATABLE')
    })
  })

  test('are where an adapter has them', async () => {
    await inTransaction((root, { registry }) => {
      const elsewhere = annotationsOf(root)
      registry.registerAdapter(() => elsewhere, { adapts: [Employee], provides: IAnnotations })
      const bob = root.set('Bob', new Employee())
      annotationsOf(bob).set('office.badge', 12)
      expect(annotationsOf(root).get('office.badge')).toBe(12)
    })
  })

  test('are no change of the object’s own fields', async () => {
    const db = await aDatabase()
    const heard: unknown[] = []
    db.registry.registerHandler(
      (_, event) => void heard.push((event as ObjectModifiedEvent).descriptions),
      { for: [Product, IObjectModifiedEvent] },
    )
    await db.transaction(({ root }) => void root.set('tea', new Product()))
    await db.transaction(({ root }) => {
      annotationsOf(product(root)).set('shop.rating', 5)
      modified(product(root))
    })
    expect(heard).toEqual([[]])
  })

  test('are copied with the object, and the copy’s are its own', async () => {
    await inTransaction((root) => {
      const tea = root.set('tea', new Product())
      const note = new Note()
      note.__parent__ = tea
      annotationsOf(tea).set('shop.note', note).set('shop.rating', 5)
      const copy = root.set('copy', copyOf(tea))
      annotationsOf(tea).set('shop.rating', 1)
      expect(annotationsOf(copy).get('shop.rating')).toBe(5)
      const copied = annotationsOf(copy).get('shop.note') as Note
      expect(copied === note).toBe(false)
      expect(copied.__parent__ === copy).toBe(true)
    })
  })

  test('are exported with the object', async () => {
    const db = await aDatabase()
    const file = join(await directories.create(), 'shop.jsonl')
    await db.transaction(({ root }) => {
      const tea = root.set('shop', new Folder()).set('tea', new Product())
      annotationsOf(tea).set('shop.rating', 5)
    })
    await db.view(({ root }) => exportObject(root.getItem('shop'), file))
    const imported = await importObject(db.objects, file)
    await db.transaction(({ root, connection }) => {
      const tea = root.set('again', connection.get(imported.root) as Folder).getItem('tea')
      expect(annotationsOf(tea).get('shop.rating')).toBe(5)
    })
  })

  test('survive a pack, and go with their object', async () => {
    const db = await aDatabase()
    await db.transaction(({ root }) => {
      const note = new Note()
      annotationsOf(root.set('tea', new Product())).set('shop.note', note)
    })
    expect(await db.objects.pack({ graceMs: 0 })).toMatchObject({ removed: 0 })
    await db.view(({ root }) => {
      expect(annotationsOf(product(root)).get('shop.note')).toBeInstanceOf(Note)
    })
    await db.transaction(({ root }) => void root.delete('tea'))
    // The product, the tree and the note.
    expect(await db.objects.pack({ graceMs: 0 })).toMatchObject({ removed: 3 })
  })

  test('that are objects are found by path', async () => {
    await inTransaction((root) => {
      const tea = root.set('tea', new Product())
      const note = new Note()
      note.__parent__ = tea
      note.__name__ = annotationName('shop.note/first')
      annotationsOf(tea).set('shop.note/first', note)
      expect(pathOf(note)).toBe('/tea/++annotation++shop.note%2Ffirst')
      expect(traverse(root, pathOf(note), Note) === note).toBe(true)
      expect(codeOfThrown(() => traverse(root, '/tea/++annotation++none'))).toBe('CONTENT_LOCATION')
    })
  })

  test('do what a Map does', async () => {
    const key = fc.constantFrom('a.one', 'a.two', 'b.one', 'ü', '__proto__')
    const value = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.array(fc.integer()))
    const step = fc.oneof(
      fc.record({ what: fc.constant('set' as const), key, value }),
      fc.record({ what: fc.constant('delete' as const), key, value: fc.constant(null) }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 4 }),
        async (runs) => {
          const db = await aDatabase()
          await db.transaction(({ root }) => void root.set('tea', new Product()))
          const model = new Map<string, unknown>()
          for (const run of runs) {
            await db.transaction(({ root }) => {
              const annotations = annotationsOf(product(root))
              for (const { what, key, value } of run) {
                if (what === 'set') annotations.set(key, value) && model.set(key, value)
                else expect(annotations.delete(key)).toBe(model.delete(key))
              }
            })
          }
          await db.view(({ root }) => {
            const found = new Map(annotationsOf(product(root)))
            expect(found).toEqual(model)
          })
          await db.close()
        },
      ),
      { numRuns: 30 },
    )
  })
})
