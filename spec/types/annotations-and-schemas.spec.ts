import { describe, expect, test } from '@jest/globals'
import { expectTypeOf } from 'expect-type'
import {
  type AnnotationFactory,
  annotatable,
  annotationFactory,
  annotationsOf,
  Contained,
  Database,
  defineInterface,
  evolveObjects,
  Folder,
  field,
  findObjects,
  type Persistent,
  type RootFolder,
  type SchemaManager,
} from '../../lib/index.js'

/** Types only: nothing of it is called. */
function neverRun(_program: () => unknown): void {
  expect(true).toBe(true)
}

interface IRating {
  stars: number
}
const IRating = defineInterface<IRating>('types-schemas.IRating')

class Rating extends Contained implements IRating {
  @field accessor stars = 0
}

describe('Types of annotations', () => {
  test('a factory gives what it makes', () => {
    neverRun(() => {
      const ratingOf = annotationFactory(Rating, { key: 'x' })
      expectTypeOf(ratingOf).toEqualTypeOf<AnnotationFactory<Rating>>()
      expectTypeOf(ratingOf(new Folder())).toEqualTypeOf<Rating>()
      expectTypeOf(annotationFactory(() => new Folder(), { key: 'x' })(ratingOf)).toEqualTypeOf<
        Folder<Contained>
      >()
      // @ts-expect-error an annotation of a factory is stored on its own
      annotationFactory(Date, { key: 'x' })
    })
  })

  test('a factory is an adapter factory for what it makes', () => {
    neverRun((db?: Database) => {
      const ratingOf = annotationFactory(Rating, { key: 'x' })
      db?.registry.registerAdapter(ratingOf, { adapts: [Folder], provides: IRating })
      const folderOf = annotationFactory(Folder, { key: 'x' })
      // @ts-expect-error a folder is no rating
      db?.registry.registerAdapter(folderOf, { adapts: [Folder], provides: IRating })
    })
  })

  test('values are of any type', () => {
    neverRun(() => expectTypeOf(annotationsOf(new Folder()).get('x')).toEqualTypeOf<unknown>())
  })

  test('the decorator is for persistent classes', () => {
    neverRun(() => {
      annotatable(Rating)
      // @ts-expect-error nothing of it is stored
      annotatable(Date)
    })
  })
})

describe('Types of a walk', () => {
  test('objects are of the class or interface that was asked for', () => {
    neverRun((root: Folder = new Folder()) => {
      expectTypeOf(findObjects(root)).toEqualTypeOf<AsyncGenerator<Persistent, void, undefined>>()
      expectTypeOf(findObjects(root, { providing: Rating })).toEqualTypeOf<
        AsyncGenerator<Rating, void, undefined>
      >()
      findObjects(root, { providing: IRating, matching: ({ stars }) => stars > 3 })
      // @ts-expect-error a rating has no title
      findObjects(root, { providing: IRating, matching: ({ title }) => title !== '' })
    })
  })
})

describe('Types of a schema', () => {
  test('steps work with the root folder', () => {
    neverRun(() => {
      const schema: SchemaManager = {
        name: 'shop',
        generation: 3,
        steps: {
          1: ({ root, generation }) => {
            expectTypeOf(root).toEqualTypeOf<RootFolder>()
            expectTypeOf(generation).toEqualTypeOf<number>()
          },
          2: { about: 'waits', run: async ({ root }) => void root.size },
          3: evolveObjects({ providing: Rating, change: (it) => void it.stars }),
        },
      }
      return Database.open('', { schemas: [schema], evolve: { mode: 'evolveMinimum' } })
    })
  })

  test('a mode is one of three', () => {
    neverRun(() => {
      // @ts-expect-error no such mode
      return Database.open('', { evolve: { mode: 'maybe' } })
    })
  })
})
