import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  annotatable,
  annotationFactory,
  annotationsOf,
  Contained,
  type RootFolder,
} from '../../lib/content/index.js'
import { field, stored } from '../../lib/persistence/index.js'
import { currentTransaction, type Savepoint } from '../../lib/transaction/index.js'
import { aMemoryPlace, closeDatabases } from '../support/content-builders.js'

afterEach(closeDatabases)

@annotatable
@stored('annotations-property.Product')
class Product extends Contained {
  @field accessor title = ''
}

@stored('annotations-property.Rating')
class Rating extends Contained {
  @field accessor stars = 0
  @field accessor voters: string[] = []
}

const ratingOf = annotationFactory(Rating)
const NAMES = ['coffee', 'tea']

type Model = Map<string, { stars: number; voters: string[] }>

type Step =
  | { readonly does: 'read'; readonly name: string }
  | { readonly does: 'forget'; readonly name: string }
  | { readonly does: 'rate'; readonly name: string; readonly stars: number }
  | { readonly does: 'vote'; readonly name: string; readonly voter: string }
  | { readonly does: 'savepoint' }
  | { readonly does: 'rollback'; readonly to: number }

const name = fc.constantFrom(...NAMES)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('read' as const), name }),
  fc.record({ does: fc.constant('forget' as const), name }),
  fc.record({ does: fc.constant('rate' as const), name, stars: fc.nat(5) }),
  fc.record({ does: fc.constant('vote' as const), name, voter: fc.string({ maxLength: 2 }) }),
  fc.constant({ does: 'savepoint' as const }),
  fc.record({ does: fc.constant('rollback' as const), to: fc.nat(3) }),
)
const work = fc.record({
  steps: fc.array(step, { maxLength: 12 }),
  ends: fc.constantFrom('commit' as const, 'abort' as const, 'reopen' as const),
})

describe('Annotations that are stored at their first change', () => {
  test('are what a map of ratings is, whatever is taken back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(work, { maxLength: 6 }), async (works) => {
        const open = aMemoryPlace()
        let db = await open()
        await db.transaction(({ root }) => {
          for (const name of NAMES) root.set(name, new Product())
        })
        let committed: Model = new Map()
        for (const { steps, ends } of works) {
          const after = await db
            .transaction(({ root }) => {
              const model = play(root, copy(committed), steps)
              if (ends === 'abort') throw new Error('abort')
              return model
            })
            .catch((error: Error) => {
              if (error.message !== 'abort') throw error
              return committed
            })
          committed = after
          if (ends === 'reopen') {
            await db.close()
            db = await open()
          }
          await db.view(({ root }) => compare(root, committed))
        }
        await db.close()
      }),
      { numRuns: 60 },
    )
  })
})

function play(root: RootFolder, model: Model, steps: readonly Step[]): Model {
  const savepoints: { savepoint: Savepoint; model: Model }[] = []
  let now = model
  for (const step of steps) {
    if (step.does === 'savepoint') {
      savepoints.push({ savepoint: currentTransaction()!.savepoint(), model: copy(now) })
    } else if (step.does === 'rollback') {
      const back = savepoints[step.to]
      if (back === undefined) continue
      savepoints.length = step.to + 1
      back.savepoint.rollback()
      now = copy(back.model)
    } else change(root, now, step)
    compare(root, now)
  }
  return now
}

function change(
  root: RootFolder,
  model: Model,
  step: Extract<Step, { readonly name: string }>,
): void {
  const product = root.getItem(step.name)
  if (step.does === 'forget') {
    expect(annotationsOf(product).delete(ratingOf.key)).toBe(model.delete(step.name))
    return
  }
  const rating = ratingOf(product)
  if (step.does === 'read') return
  const expected = model.get(step.name) ?? { stars: 0, voters: [] }
  model.set(step.name, expected)
  if (step.does === 'rate') rating.stars = expected.stars = step.stars
  else {
    rating.voters.push(step.voter)
    expected.voters.push(step.voter)
  }
}

function compare(root: RootFolder, model: Model): void {
  for (const name of NAMES) {
    const product = root.getItem(name)
    const expected = model.get(name)
    expect(annotationsOf(product).has(ratingOf.key)).toBe(expected !== undefined)
    const { stars, voters } = ratingOf(product)
    expect({ stars, voters: [...voters] }).toEqual(expected ?? { stars: 0, voters: [] })
    expect(ratingOf(product).__parent__ === product).toBe(true)
  }
}

function copy(model: Model): Model {
  return structuredClone(model)
}
