import type { ObjectDatabase } from '../persistence/index.js'
import { InvalidSchemaError } from './errors.js'
import { type GenerationRow, generationRow } from './generation-rows.js'
import {
  type CheckedSchema,
  checkedSchemas,
  type SchemaManager,
  type SchemaStep,
} from './schema-manager.js'

/**
 * How far data is evolved: to what the program writes; only to what it can work with; not at all, which
 * makes data that is too old an error. Source: `EVOLVE`, `EVOLVEMINIMUM`, `EVOLVENOT`.
 * @public
 */
export type EvolveMode = 'evolve' | 'evolveMinimum' | 'never'

/** What would be done for one schema. @public */
export interface SchemaPlan {
  readonly name: string
  /** That of the data; `undefined` when the database has no record of the schema. */
  readonly generation: number | undefined
  /** Where the plan leads. */
  readonly target: number
  readonly does: 'nothing' | 'install' | 'evolve'
  /** In this order. */
  readonly steps: readonly PlannedStep[]
  /** Why the database cannot be opened with this schema. */
  readonly problem: 'tooHigh' | 'tooLow' | undefined
}

/** @public */
export interface PlannedStep {
  /** To which it leads. */
  readonly generation: number
  /** The program cannot work without it. */
  readonly isNeeded: boolean
  readonly about: string
  /** Of a batched step that has begun, else 0. */
  readonly batchesDone: number
}

/**
 * What {@link evolveSchemas}, or opening the database with these schemas, would do. Changes nothing.
 *
 * ```ts
 * await using db = await Database.open('./data', { readOnly: true })
 * console.log(await planSchemas(db, [schema]))
 * ```
 * @throws CONTENT_INVALID_SCHEMA
 * @public
 */
export async function planSchemas(
  database: ObjectDatabase,
  schemas: readonly SchemaManager[],
  { mode = 'evolve' }: { readonly mode?: EvolveMode } = {},
): Promise<readonly SchemaPlan[]> {
  const checked = checkedSchemas(schemas)
  if (!MODES.includes(mode)) {
    throw new InvalidSchemaError(`The mode ${String(mode)} is none of ${MODES.join(', ')}`)
  }
  return database.view(({ rootMapping }) =>
    checked.map((schema) => planOf(schema, generationRow(rootMapping, schema.name), mode)),
  )
}

const MODES: readonly EvolveMode[] = ['evolve', 'evolveMinimum', 'never']

/** @param row - what the database knows of the schema's data. */
export function planOf(
  schema: CheckedSchema,
  row: GenerationRow | undefined,
  mode: EvolveMode,
): SchemaPlan {
  const { name, minimumGeneration } = schema
  const generation = row === undefined ? schema.unrecordedGeneration : row.generation
  const plan = { name, generation: row?.generation, steps: [], problem: undefined }
  if (generation === undefined || row?.toInstall === true) {
    return { ...plan, generation: undefined, target: schema.generation, does: 'install' }
  }
  const stays = { ...plan, target: generation, does: 'nothing' as const }
  if (generation > schema.generation) return { ...stays, problem: 'tooHigh' }
  if (mode === 'never') {
    return generation < minimumGeneration ? { ...stays, problem: 'tooLow' } : stays
  }
  const target =
    mode === 'evolve' ? schema.generation : Math.max(generation, schema.minimumGeneration)
  if (target === generation) return stays
  const steps = Array.from({ length: target - generation }, (_, index) =>
    plannedStep(schema, generation + 1 + index, row),
  )
  return { ...plan, target, does: 'evolve', steps }
}

function plannedStep(
  { steps, minimumGeneration }: CheckedSchema,
  generation: number,
  row: GenerationRow | undefined,
): PlannedStep {
  const underWay = row?.underWay
  return {
    generation,
    isNeeded: generation <= minimumGeneration,
    about: aboutOf(steps.get(generation)),
    batchesDone: underWay?.generation === generation ? underWay.batches : 0,
  }
}

function aboutOf(step: SchemaStep | undefined): string {
  if (step === undefined) return 'there is no such step'
  return (typeof step === 'function' ? undefined : step.about) ?? ''
}
