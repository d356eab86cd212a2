import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { setGenerationRow } from '../../lib/content/generation-rows.js'
import { planSchemas, type SchemaManager } from '../../lib/content/index.js'
import { checkedSchemas } from '../../lib/content/schema-manager.js'
import { type EvolveMode, planOf } from '../../lib/content/schema-plan.js'
import { aDatabase, closeDatabases } from '../support/content-builders.js'

afterEach(closeDatabases)

const step = (): void => {}
const shop: SchemaManager = {
  name: 'shop',
  generation: 3,
  minimumGeneration: 2,
  steps: { 1: step, 2: { about: 'cents', run: step }, 3: { about: 'tags', batch: step } },
}

const plan = (generation: number, mode: EvolveMode) =>
  planOf(checkedSchemas([shop])[0]!, { generation }, mode)

describe('The plan of a schema', () => {
  test('has the steps from what the data is to what the program writes', () => {
    expect(plan(0, 'evolve')).toEqual({
      name: 'shop',
      generation: 0,
      target: 3,
      does: 'evolve',
      steps: [
        { generation: 1, isNeeded: true, about: '', batchesDone: 0 },
        { generation: 2, isNeeded: true, about: 'cents', batchesDone: 0 },
        { generation: 3, isNeeded: false, about: 'tags', batchesDone: 0 },
      ],
      problem: undefined,
    })
  })

  test('ends at the minimum when it should', () => {
    expect(plan(1, 'evolveMinimum')).toMatchObject({ target: 2, steps: [{ generation: 2 }] })
    expect(plan(2, 'evolveMinimum')).toMatchObject({ target: 2, does: 'nothing', steps: [] })
  })

  test('says what stands in the way', () => {
    expect(plan(4, 'evolve').problem).toBe('tooHigh')
    expect(plan(4, 'never').problem).toBe('tooHigh')
    expect(plan(1, 'never').problem).toBe('tooLow')
    expect(plan(2, 'never')).toMatchObject({ does: 'nothing', problem: undefined })
  })

  test('tells of a step that has begun, and of one that is missing', () => {
    const [schema] = checkedSchemas([{ ...shop, steps: { 3: shop.steps![3]! } }])
    const underWay = { generation: 3, batches: 9, after: 'x' }
    expect(planOf(schema!, { generation: 2, underWay }, 'evolve').steps).toEqual([
      { generation: 3, isNeeded: false, about: 'tags', batchesDone: 9 },
    ])
    expect(planOf(schema!, { generation: 1 }, 'evolve').steps[0]!.about).toBe(
      'there is no such step',
    )
  })

  test('installs what the database does not know, unless there is older data', () => {
    const [schema] = checkedSchemas([shop])
    const installs = { does: 'install', generation: undefined, target: 3, steps: [] }
    expect(planOf(schema!, undefined, 'evolve')).toMatchObject(installs)
    expect(planOf(schema!, { generation: 3, toInstall: true }, 'never')).toMatchObject(installs)
    const [older] = checkedSchemas([{ ...shop, unrecordedGeneration: 1 }])
    expect(planOf(older!, undefined, 'evolve')).toMatchObject({ does: 'evolve', target: 3 })
    expect(planOf(older!, undefined, 'never').problem).toBe('tooLow')
  })

  test('leads from where the data is to its target, one step for each generation', () => {
    const modes = fc.constantFrom<EvolveMode>('evolve', 'evolveMinimum', 'never')
    const numbers = fc.tuple(fc.nat(6), fc.nat(6), fc.nat(8))
    fc.assert(
      fc.property(modes, numbers, (mode, [one, other, generation]) => {
        const [schema] = checkedSchemas([
          { name: 'x', generation: Math.max(one, other), minimumGeneration: Math.min(one, other) },
        ])
        const { target, steps, problem, does } = planOf(schema!, { generation }, mode)
        expect(steps.map((at) => at.generation)).toEqual(
          Array.from({ length: target - generation }, (_, n) => generation + 1 + n),
        )
        expect(does === 'evolve').toBe(steps.length > 0)
        expect(problem === 'tooHigh').toBe(generation > schema!.generation)
        if (problem === undefined) expect(target).toBeGreaterThanOrEqual(schema!.minimumGeneration)
      }),
    )
  })

  test('is made by reading a database, and changes nothing', async () => {
    const db = await aDatabase()
    await db.objects.transaction(({ rootMapping }) =>
      setGenerationRow(rootMapping, 'shop', { generation: 2 }),
    )
    const { lastTid } = db.objects
    const plans = await planSchemas(db.objects, [shop, { name: 'wiki', generation: 5 }])
    expect(plans.map(({ name, does, target }) => [name, does, target])).toEqual([
      ['shop', 'evolve', 3],
      ['wiki', 'install', 5],
    ])
    expect(await planSchemas(db.objects, [shop], { mode: 'evolveMinimum' })).toMatchObject([
      { does: 'nothing' },
    ])
    expect(db.objects.lastTid).toBe(lastTid)
    await expect(
      planSchemas(db.objects, [shop], { mode: 'maybe' as EvolveMode }),
    ).rejects.toMatchObject({ code: 'CONTENT_INVALID_SCHEMA' })
  })
})
