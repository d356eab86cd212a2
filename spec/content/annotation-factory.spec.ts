import { afterEach, describe, expect, test } from '@jest/globals'
import { defineInterface, getAdapter } from '../../lib/component/index.js'
import { annotationTreeOf } from '../../lib/content/annotatable.js'
import {
  annotatable,
  annotationFactory,
  annotationsOf,
  Contained,
  Folder,
  pathOf,
  type RootFolder,
  traverse,
} from '../../lib/content/index.js'
import { BTree, field, Persistent, stateOf, stored } from '../../lib/persistence/index.js'
import { currentTransaction } from '../../lib/transaction/index.js'
import {
  aDatabase,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  race,
  type TreeDatabase,
} from '../support/content-builders.js'

afterEach(closeDatabases)

@annotatable
@stored('annotation-factory-spec.Product')
class Product extends Contained {
  @field accessor title = ''
}

interface IRating {
  stars: number
}
const IRating = defineInterface<IRating>('annotation-factory-spec.IRating')

@stored('annotation-factory-spec.Rating')
class Rating extends Contained implements IRating {
  @field accessor stars = 0
  @field accessor voters: string[] = []
}

const ratingOf = annotationFactory(Rating)

async function aShop(): Promise<TreeDatabase> {
  const db = await aDatabase()
  await db.transaction(({ root }) => void root.set('tea', new Product()))
  return db
}

const rate = (rated: Product, stars: number): void => {
  ratingOf(rated).stars = stars
}
const product = (root: RootFolder): Product => root.getItem('tea') as Product

describe('An annotation factory', () => {
  test('gives a new annotation that is not stored as long as it is only read', async () => {
    const db = await aShop()
    const { lastTid } = db.objects
    await db.transaction(({ root }) => {
      const rating = ratingOf(product(root))
      expect(rating.stars).toBe(0)
      expect(rating.voters.length).toBe(0)
      expect(ratingOf(product(root)) === rating).toBe(true)
      expect(stateOf(product(root))).toBe('upToDate')
    })
    expect(db.objects.lastTid).toBe(lastTid)
    await db.view(({ root }) => expect(ratingOf(product(root)).stars).toBe(0))
  })

  test('stores it at its first change', async () => {
    const db = await aShop()
    await db.transaction(({ root }) => {
      const rating = ratingOf(product(root))
      rating.stars = 5
      expect(ratingOf(product(root)) === rating).toBe(true)
      expect(annotationsOf(product(root)).get(ratingOf.key) === rating).toBe(true)
    })
    await db.view(({ root }) => expect(ratingOf(product(root)).stars).toBe(5))
  })

  test('stores it when a nested value is changed', async () => {
    const db = await aShop()
    await db.transaction(({ root }) => void ratingOf(product(root)).voters.push('Ada'))
    await db.view(({ root }) => expect([...ratingOf(product(root)).voters]).toEqual(['Ada']))
  })

  test('stores one that is a tree, or a folder, when something is put in', async () => {
    const countsOf = annotationFactory(BTree<string, number>, { key: 'spec.counts' })
    const notesOf = annotationFactory(() => new Folder(), { key: 'spec.notes' })
    const db = await aShop()
    await db.transaction(({ root }) => {
      expect(countsOf(product(root)).get('Ada')).toBeUndefined()
      expect(countsOf(product(root)).delete('Ada')).toBe(false)
      notesOf(product(root))
      expect(annotationTreeOf(product(root))).toBeUndefined()
      countsOf(product(root)).set('Ada', 3)
      notesOf(product(root)).set('first', new Employee())
    })
    await db.view(({ root }) => {
      expect(countsOf(product(root)).get('Ada')).toBe(3)
      expect(pathOf(notesOf(product(root)).getItem('first'))).toBe(
        '/tea/++annotation++spec.notes/first',
      )
    })
  })

  test('gives the annotation its place under the object', async () => {
    const db = await aShop()
    await db.transaction(({ root }) => {
      const rating = ratingOf(product(root))
      expect(rating.__parent__ === product(root)).toBe(true)
      rating.stars = 3
    })
    await db.view(({ root }) => {
      const path = '/tea/++annotation++annotation-factory-spec.Rating'
      expect(pathOf(ratingOf(product(root)))).toBe(path)
      expect(traverse(root, path, Rating).stars).toBe(3)
    })
  })

  test('is an adapter factory', async () => {
    await inTransaction((root, { registry }) => {
      registry.registerAdapter(ratingOf, { adapts: [Product], provides: IRating })
      const tea = root.set('tea', new Product())
      getAdapter(tea, IRating).stars = 4
      expect(getAdapter(tea, IRating).stars).toBe(4)
    })
  })

  test('makes what a function makes of the object', async () => {
    @stored('annotation-factory-spec.Label')
    class Label extends Persistent {
      @field accessor text = ''
      constructor(text: string) {
        super()
        this.text = text
      }
    }
    const labelOf = annotationFactory((object) => new Label((object as Product).title), {
      key: 'spec.label',
    })
    const db = await aShop()
    await db.transaction(({ root }) => {
      expect(labelOf(product(root)).text).toBe('')
      product(root).title = 'Tea'
    })
    // What was made of the object as it was before is not given again.
    await db.view(({ root }) => expect(labelOf(product(root)).text).toBe('Tea'))
  })

  test('needs a key', () => {
    class Nameless extends Persistent {}
    expect(codeOfThrown(() => annotationFactory(Nameless))).toBe('PERSISTENCE_INVALID_CLASS')
    expect(codeOfThrown(() => annotationFactory(Rating, { key: '' }))).toBe(
      'PERSISTENCE_INVALID_CLASS',
    )
  })

  test('refuses what cannot be annotated', async () => {
    await inTransaction((root) => {
      const bob = root.set('Bob', new Employee())
      expect(codeOfThrown(() => ratingOf(bob))).toBe('CONTENT_NOT_ANNOTATABLE')
    })
  })

  test('works for objects that are in no database yet', async () => {
    const tea = new Product()
    ratingOf(tea).stars = 2
    const db = await aDatabase()
    await db.transaction(({ root }) => void root.set('tea', tea))
    await db.view(({ root }) => expect(ratingOf(product(root)).stars).toBe(2))
  })
})

describe('An annotation that is not stored yet', () => {
  test('is not changed where nothing may be changed', async () => {
    const db = await aShop()
    await db.view(({ root }) => {
      const rating = ratingOf(product(root))
      expect(codeOfThrown(() => rate(product(root), 5))).toBe('PERSISTENCE_READ_ONLY_TRANSACTION')
      expect(rating.stars).toBe(0)
    })
    const held = await db.transaction(({ root }) => ratingOf(product(root)))
    expect(codeOfThrown(() => Object.assign(held, { stars: 5 }))).toBe(
      'PERSISTENCE_OUTSIDE_TRANSACTION',
    )
  })

  test('is stored again when it is changed after a rollback to before', async () => {
    const db = await aShop()
    await db.transaction(({ root }) => {
      const rating = ratingOf(product(root))
      const savepoint = currentTransaction()!.savepoint()
      rating.voters.push('Ada')
      currentTransaction()!.savepoint()
      rating.stars = 5
      savepoint.rollback()
      expect(annotationTreeOf(product(root))).toBeUndefined()
      expect(ratingOf(product(root)).stars).toBe(0)
      rating.stars = 4
      expect(ratingOf(product(root)) === rating).toBe(true)
    })
    await db.view(({ root }) => expect(ratingOf(product(root)).stars).toBe(4))
  })

  test('cannot be changed when the object has got another one', async () => {
    const db = await aShop()
    await db.transaction(({ root }) => {
      const rating = ratingOf(product(root))
      annotationsOf(product(root)).set(ratingOf.key, new Rating())
      expect(codeOfThrown(() => Object.assign(rating, { stars: 5 }))).toBe(
        'PERSISTENCE_STALE_OBJECT',
      )
    })
  })

  test('conflicts with one that another transaction stores', async () => {
    const db = await aShop()
    const losing = race(
      db,
      (root) => rate(product(root), 1),
      (root) => rate(product(root), 2),
    )
    await expect(losing).rejects.toMatchObject({ code: 'STORAGE_CONFLICT' })
    await db.view(({ root }) => expect(ratingOf(product(root)).stars).toBe(1))
  })

  test('is gone with an abort', async () => {
    const db = await aShop()
    const failing = db.transaction(({ root }) => {
      ratingOf(product(root)).stars = 5
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await db.view(({ root }) => expect(ratingOf(product(root)).stars).toBe(0))
  })
})
