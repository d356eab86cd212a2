import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { generationRow, setGenerationRow } from '../../lib/content/generation-rows.js'
import {
  assertReadable,
  type EvolveMode,
  type EvolveProgress,
  evolveSchemas,
  Folder,
  recordNewSchemas,
  type SchemaContext,
  type SchemaManager,
  type SchemaStep,
} from '../../lib/content/index.js'
import type { BTree, ObjectDatabase } from '../../lib/persistence/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { currentTransaction } from '../../lib/transaction/index.js'
import { closeDatabases, Employee, TreeDatabase } from '../support/content-builders.js'

afterEach(closeDatabases)

interface Told {
  readonly error: unknown
  readonly where: string
}

/** A database whose data of `shop` is at a generation, and what its `onError` was told. */
async function aShop(generation?: number): Promise<{ db: ObjectDatabase; told: Told[] }> {
  const told: Told[] = []
  const { objects: db } = await TreeDatabase.open('', {
    storage: createMemoryStorage({ history: 'all' }),
    onError: (error, where) => void told.push({ error, where }),
  })
  if (generation !== undefined) {
    await db.transaction(({ rootMapping }) => setGenerationRow(rootMapping, 'shop', { generation }))
  }
  return { db, told }
}

/** Steps to each generation that put their number into the root folder. */
function shop(generation: number, minimumGeneration: number, failing?: number): SchemaManager {
  const steps: Record<number, SchemaStep> = {}
  for (let to = 1; to <= generation; to++) {
    steps[to] = ({ root, generation }) => {
      root.set(`step ${generation}`, new Folder())
      if (generation === failing) throw new Error(`step ${generation} is ill`)
    }
  }
  return { name: 'shop', generation, minimumGeneration, steps }
}

const stepsDone = (db: ObjectDatabase): Promise<string[]> =>
  db.view(({ rootMapping }) => [...(rootMapping.get('root') as Folder).keys()])

const generationOf = (db: ObjectDatabase, name = 'shop'): Promise<number | undefined> =>
  db.view(({ rootMapping }) => generationRow(rootMapping, name)?.generation)

describe('Evolving', () => {
  test('does each step once, in a transaction of its own with a note', async () => {
    const { db } = await aShop(1)
    const reports = await evolveSchemas(db, [shop(3, 0)])
    expect(reports).toEqual([{ name: 'shop', from: 1, generation: 3, error: undefined }])
    expect(await stepsDone(db)).toEqual(['step 2', 'step 3'])
    const notes: string[] = []
    for await (const { description } of db.undoLog({ limit: 2 })) notes.push(description)
    expect(notes).toEqual(['shop: evolving to generation 3', 'shop: evolving to generation 2'])
    const { lastTid } = db
    await evolveSchemas(db, [shop(3, 0)])
    expect(db.lastTid).toBe(lastTid)
  })

  test.each<[EvolveMode, number, string[]]>([
    ['evolve', 3, ['step 1', 'step 2', 'step 3']],
    ['evolveMinimum', 2, ['step 1', 'step 2']],
  ])('with mode %s ends at generation %d', async (mode, expected, done) => {
    const { db } = await aShop(0)
    await evolveSchemas(db, [shop(3, 2)], { mode })
    expect(await generationOf(db)).toBe(expected)
    expect(await stepsDone(db)).toEqual(done)
  })

  test('with mode never changes nothing, and refuses data that is too old', async () => {
    const { db } = await aShop(1)
    await evolveSchemas(db, [shop(3, 1)], { mode: 'never' })
    expect(await stepsDone(db)).toEqual([])
    await expect(evolveSchemas(db, [shop(3, 2)], { mode: 'never' })).rejects.toMatchObject({
      code: 'CONTENT_GENERATION_TOO_LOW',
      details: { schema: 'shop', generation: 1 },
    })
    await expect(assertReadable(db, [shop(3, 2)])).rejects.toMatchObject({
      code: 'CONTENT_GENERATION_TOO_LOW',
    })
    await assertReadable(db, [shop(3, 1)])
  })

  test('refuses data that is newer than the program, before any step of any schema', async () => {
    const { db } = await aShop(4)
    const wiki = { ...shop(1, 1), name: 'wiki', unrecordedGeneration: 0 }
    await expect(evolveSchemas(db, [wiki, shop(3, 0)])).rejects.toMatchObject({
      code: 'CONTENT_GENERATION_TOO_HIGH',
      details: { schema: 'shop', generation: 4 },
    })
    expect(await stepsDone(db)).toEqual([])
  })

  test('ends a schema at a step that fails, tells of it, and goes on with the next', async () => {
    const { db, told } = await aShop(1)
    const wiki = { ...shop(1, 0), name: 'wiki', unrecordedGeneration: 0 }
    const [report] = await evolveSchemas(db, [shop(4, 2, 3), wiki])
    expect(report).toMatchObject({ from: 1, generation: 2 })
    expect(report!.error).toMatchObject({ code: 'CONTENT_UNABLE_TO_EVOLVE' })
    expect(told).toEqual([{ error: report!.error, where: 'evolve' }])
    expect(report!.error).toMatchObject({ cause: new Error('step 3 is ill') })
    // Nothing of the step that failed.
    expect(await stepsDone(db)).toEqual(['step 1', 'step 2'])
    expect([await generationOf(db), await generationOf(db, 'wiki')]).toEqual([2, 1])
  })

  test('fails when a step fails that the program needs', async () => {
    const { db, told } = await aShop(1)
    await expect(evolveSchemas(db, [shop(4, 3, 3)])).rejects.toMatchObject({
      code: 'CONTENT_UNABLE_TO_EVOLVE',
      details: { schema: 'shop', generation: 3 },
      message: expect.stringContaining('step 3 is ill'),
    })
    expect(told).toEqual([])
    expect(await generationOf(db)).toBe(2)
    await evolveSchemas(db, [shop(4, 3)])
    expect(await stepsDone(db)).toEqual(['step 2', 'step 3', 'step 4'])
  })

  test('fails where a step is missing that the program needs', async () => {
    const { db, told } = await aShop(1)
    const forgetful = { name: 'shop', generation: 3, steps: { 3: () => {} } }
    await evolveSchemas(db, [forgetful])
    expect(told).toMatchObject([{ error: { code: 'CONTENT_UNABLE_TO_EVOLVE' } }])
    await expect(evolveSchemas(db, [{ ...forgetful, minimumGeneration: 2 }])).rejects.toMatchObject(
      { cause: { code: 'CONTENT_INVALID_SCHEMA' } },
    )
  })

  test.each<[string, SchemaStep]>([
    ['commits', ({ connection }) => connection.transactionManager.commit()],
    [
      'commits, and hides it',
      async ({ connection }) => {
        await connection.transactionManager.commit().catch(() => {})
      },
    ],
    ['aborts', ({ connection }) => connection.transactionManager.abort()],
    ['dooms', () => currentTransaction()?.doom()],
  ])('refuses a step that %s', async (_, misstep) => {
    const { db } = await aShop(0)
    const schema: SchemaManager = {
      name: 'shop',
      generation: 1,
      minimumGeneration: 1,
      steps: {
        1: async (context) => {
          context.root.set('half', new Folder())
          await (misstep as (context: unknown) => unknown)(context)
        },
      },
    }
    await expect(evolveSchemas(db, [schema])).rejects.toMatchObject({
      code: 'CONTENT_UNABLE_TO_EVOLVE',
    })
    expect([await generationOf(db), await stepsDone(db)]).toEqual([0, []])
  })

  test('takes a database that does not know a schema to be new, and installs', async () => {
    const { db } = await aShop()
    let installed = 0
    const schema: SchemaManager = {
      ...shop(3, 0),
      install: ({ root, generation }) => {
        installed++
        root.set(`installed ${generation}`, new Folder())
      },
    }
    expect(await evolveSchemas(db, [schema])).toMatchObject([{ from: undefined, generation: 3 }])
    await evolveSchemas(db, [schema])
    expect([await stepsDone(db), installed]).toEqual([['installed 3'], 1])
  })

  test('fails when an install fails, and calls it again', async () => {
    const { db } = await aShop()
    let isIll = true
    const install: SchemaManager['install'] = ({ root }) => {
      root.set('installed', new Folder())
      if (isIll) throw new Error('ill')
    }
    await expect(evolveSchemas(db, [{ ...shop(1, 0), install }])).rejects.toMatchObject({
      code: 'CONTENT_UNABLE_TO_EVOLVE',
    })
    expect(await stepsDone(db)).toEqual([])
    isIll = false
    await evolveSchemas(db, [{ ...shop(1, 0), install }])
    expect(await stepsDone(db)).toEqual(['installed'])
  })

  test('takes data that is older than its schema for what it is said to be', async () => {
    const { db } = await aShop()
    await evolveSchemas(db, [{ ...shop(3, 0), unrecordedGeneration: 1 }])
    expect(await stepsDone(db)).toEqual(['step 2', 'step 3'])
    await evolveSchemas(db, [{ ...shop(1, 0), name: 'wiki', unrecordedGeneration: 1 }])
    expect(await generationOf(db, 'wiki')).toBe(1)
  })

  test('finds a new database at its generation', async () => {
    const { db } = await aShop()
    let installed = 0
    const schemas = [shop(3, 0), { ...shop(2, 0), name: 'wiki', install: () => void installed++ }]
    await db.transaction(({ rootMapping }) => recordNewSchemas(rootMapping, schemas))
    // Older data is none of a new database's.
    await evolveSchemas(
      db,
      schemas.map((schema) => ({ ...schema, unrecordedGeneration: 0 })),
    )
    expect([await generationOf(db), await stepsDone(db), installed]).toEqual([3, [], 1])
  })

  test('tells how far it is', async () => {
    const { db, told } = await aShop(1)
    const progress: EvolveProgress[] = []
    await evolveSchemas(db, [shop(3, 0)], { onProgress: (one) => void progress.push(one) })
    expect(progress).toEqual([
      { schema: 'shop', generation: 2, target: 3, about: '', batches: 0 },
      { schema: 'shop', generation: 3, target: 3, about: '', batches: 0 },
    ])
    await evolveSchemas(db, [shop(4, 0)], {
      onProgress: () => {
        throw new Error('deaf')
      },
    })
    expect(told).toMatchObject([{ where: 'onProgress' }])
    expect(await generationOf(db)).toBe(4)
  })

  test('ends between two steps when the signal says so, and goes on later', async () => {
    const { db } = await aShop(0)
    const controller = new AbortController()
    const { signal } = controller
    const evolving = evolveSchemas(db, [shop(3, 3)], {
      signal,
      onProgress: ({ generation }) => generation === 2 && controller.abort(new Error('enough')),
    })
    await expect(evolving).rejects.toThrow('enough')
    expect(await stepsDone(db)).toEqual(['step 1'])
    await evolveSchemas(db, [shop(3, 3)])
    expect(await stepsDone(db)).toEqual(['step 1', 'step 2', 'step 3'])
  })

  test('says when the database closes meanwhile', async () => {
    const { db } = await aShop(0)
    const schema: SchemaManager = {
      name: 'shop',
      generation: 1,
      steps: { 1: () => void db.close() },
    }
    await expect(evolveSchemas(db, [schema])).rejects.toMatchObject({ code: 'STORAGE_CLOSED' })
  })

  test('of one database twice at a time does each step once', async () => {
    const { db } = await aShop(0)
    await Promise.all([evolveSchemas(db, [shop(3, 3)]), evolveSchemas(db, [shop(3, 3)])])
    expect([await generationOf(db), await stepsDone(db)]).toEqual([
      3,
      ['step 1', 'step 2', 'step 3'],
    ])
  })
})

describe('A batched step', () => {
  /** Adds an employee in each batch. */
  function batched(batches: number, failing?: number): SchemaManager {
    return {
      name: 'shop',
      generation: 1,
      steps: {
        1: {
          about: 'employees',
          batch: ({ root }, after) => {
            const number = ((after as number | undefined) ?? 0) + 1
            root.set(`employee ${number}`, new Employee())
            if (number === failing) throw new Error('ill')
            return number === batches ? undefined : number
          },
        },
      },
    }
  }

  test('commits each batch with where to go on', async () => {
    const { db } = await aShop(0)
    const progress: number[] = []
    const { lastTid } = db
    await evolveSchemas(db, [batched(3)], { onProgress: (one) => void progress.push(one.batches) })
    expect(await stepsDone(db)).toEqual(['employee 1', 'employee 2', 'employee 3'])
    expect(progress).toEqual([0, 1, 2, 3])
    expect(db.lastTid - lastTid).toBe(3)
    await db.view(({ rootMapping }) => {
      const rows = rootMapping.get('treehook.generations') as BTree<string, unknown>
      expect(rows.get('shop')).toEqual({ generation: 1 })
    })
  })

  test('that fails keeps the batches before, and goes on after them', async () => {
    const { db, told } = await aShop(0)
    await evolveSchemas(db, [batched(4, 3)])
    expect(told).toHaveLength(1)
    expect(await stepsDone(db)).toEqual(['employee 1', 'employee 2'])
    const progress: number[] = []
    await evolveSchemas(db, [batched(4)], { onProgress: (one) => void progress.push(one.batches) })
    expect(progress).toEqual([2, 3, 4])
    expect(await stepsDone(db)).toEqual(['employee 1', 'employee 2', 'employee 3', 'employee 4'])
  })

  test('ends between two batches when the signal says so', async () => {
    const { db } = await aShop(0)
    const controller = new AbortController()
    const evolving = evolveSchemas(db, [batched(4)], {
      signal: controller.signal,
      onProgress: ({ batches }) => batches === 2 && controller.abort(new Error('enough')),
    })
    await expect(evolving).rejects.toThrow('enough')
    expect(await stepsDone(db)).toEqual(['employee 1', 'employee 2'])
  })

  test('must get on', async () => {
    const { db, told } = await aShop(0)
    const standing: SchemaManager = {
      name: 'shop',
      generation: 1,
      steps: { 1: { batch: () => ['here'] } },
    }
    await evolveSchemas(db, [standing])
    expect(told).toMatchObject([{ error: { cause: { code: 'CONTENT_INVALID_SCHEMA' } } }])
  })
})

describe('Any schema', () => {
  const failures = fc.array(fc.nat(6), { maxLength: 12 })
  const kinds = fc.array(fc.constantFrom('whole' as const, 'batched' as const), {
    minLength: 1,
    maxLength: 4,
  })

  test('is evolved by doing everything once, whatever fails on the way', async () => {
    await fc.assert(
      fc.asyncProperty(kinds, failures, async (steps, failing) => {
        const { db } = await aShop(0)
        const done: string[] = []
        // Work counts when its transaction commits; each call may be one that fails.
        const left = [...failing]
        let calls = 0
        const work = ({ root, connection }: SchemaContext, what: string): void => {
          root.set(what, new Folder())
          connection.transactionManager.get().addAfterCommitHook((committed) => {
            if (committed) done.push(what)
          })
          if (calls++ === left[0]) {
            left.shift()
            calls = 0
            throw new Error('ill')
          }
        }
        const schema: SchemaManager = {
          name: 'shop',
          generation: steps.length,
          steps: Object.fromEntries(
            steps.map((kind, index): [number, SchemaStep] => [
              index + 1,
              kind === 'whole'
                ? (context) => work(context, `${index}`)
                : {
                    batch: (context, after) => {
                      const at = (after as number | undefined) ?? 0
                      work(context, `${index}.${at}`)
                      return at === 2 ? undefined : at + 1
                    },
                  },
            ]),
          ),
        }
        const expected = steps.flatMap((kind, index) =>
          kind === 'whole' ? [`${index}`] : [0, 1, 2].map((at) => `${index}.${at}`),
        )
        for (let opening = 0; opening <= failing.length; opening++)
          await evolveSchemas(db, [schema])
        expect(done).toEqual(expected)
        expect([await generationOf(db), await stepsDone(db)]).toEqual([steps.length, expected])
        await db.close()
      }),
      { numRuns: 50 },
    )
  })
})
