import { isDeepStrictEqual } from 'node:util'
import {
  aFunction,
  anAbortSignal,
  checkOptions,
  type OptionRules,
  oneOf,
} from '../foundation/index.js'
import type { BTree, ObjectDatabase, Persistent, TransactionContext } from '../persistence/index.js'
import {
  GenerationTooHighError,
  GenerationTooLowError,
  InvalidSchemaError,
  UnableToEvolveError,
} from './errors.js'
import { type GenerationRow, generationRow, setGenerationRow } from './generation-rows.js'
import { rootFolderOf } from './root-folder.js'
import {
  type BatchedStep,
  type CheckedSchema,
  checkedSchemas,
  type SchemaContext,
  type SchemaManager,
  type SchemaStep,
} from './schema-manager.js'
import { type EvolveMode, planSchemas, type SchemaPlan } from './schema-plan.js'

/** @public */
export interface EvolveOptions {
  /** Default `evolve`. */
  readonly mode?: EvolveMode
  /** Told of each step that begins, and of each batch. What it throws is told to the database's `onError`. */
  readonly onProgress?: (progress: EvolveProgress) => void
  /** Ends the evolution between two transactions; the next one goes on there. */
  readonly signal?: AbortSignal
}

const OPTION_RULES: OptionRules<EvolveOptions> = {
  mode: oneOf('evolve', 'evolveMinimum', 'never'),
  onProgress: aFunction,
  signal: anAbortSignal,
}

/** @public */
export interface EvolveProgress {
  readonly schema: string
  /** To which the step leads; the schema's own for `install`. */
  readonly generation: number
  readonly target: number
  readonly about: string
  /** Batches of this step that are committed, those of earlier processes included. */
  readonly batches: number
}

/** What was done for one schema. @public */
export interface EvolveReport {
  readonly name: string
  /** What the data was before; `undefined` when the database had no record of the schema. */
  readonly from: number | undefined
  /** What it is now. */
  readonly generation: number
  /** Why it came no further: a step failed that the program can do without. */
  readonly error: UnableToEvolveError | undefined
}

/**
 * Brings the data of each schema, in this order, to the generation that its manager asks for. Each
 * step is a transaction, or many, and is stored with the generation it leads to: it is never done
 * twice. A database that has no record of a schema is at its generation; `install` is called.
 *
 * A step that fails ends its schema's evolution, and nothing of its transaction is kept. When it is
 * needed, that is an error; else the database's `onError` is told, and the other schemas go on.
 *
 * Opening a database with `schemas` does this before anybody else works with it. It may be called later,
 * too, beside others: then the steps may conflict, and are tried again. No lease is taken: a database is
 * open in one process at a time.
 *
 * Source: `zope.generations.generations.evolve`.
 * @throws CONTENT_GENERATION_TOO_HIGH, CONTENT_GENERATION_TOO_LOW before any step; CONTENT_UNABLE_TO_EVOLVE;
 *   CONTENT_INVALID_SCHEMA; the signal's reason; STORAGE_READ_ONLY; STORAGE_CLOSED.
 * @public
 */
export async function evolveSchemas(
  database: ObjectDatabase,
  schemas: readonly SchemaManager[],
  options: EvolveOptions = {},
): Promise<readonly EvolveReport[]> {
  checkOptions(options, OPTION_RULES, InvalidSchemaError)
  const { mode = 'evolve' } = options
  const plans = await planSchemas(database, schemas, { mode })
  plans.forEach(refuse)
  const reports: EvolveReport[] = []
  for (const [index, schema] of checkedSchemas(schemas).entries()) {
    reports.push(await new Evolution(database, schema, plans[index]!, options).run())
  }
  return reports
}

/**
 * Says of a new database that its data has the form that the program writes.
 * @param rootMapping - of a transaction in which the database gets its first content.
 * @throws CONTENT_INVALID_SCHEMA
 */
export function recordNewSchemas(
  rootMapping: BTree<string, Persistent>,
  schemas: readonly SchemaManager[],
): void {
  for (const { name, generation, install } of checkedSchemas(schemas)) {
    const row: GenerationRow =
      install === undefined ? { generation } : { generation, toInstall: true }
    setGenerationRow(rootMapping, name, row)
  }
}

/**
 * Makes sure that the program can read the data.
 * @throws CONTENT_GENERATION_TOO_HIGH, CONTENT_GENERATION_TOO_LOW, CONTENT_INVALID_SCHEMA
 */
export async function assertReadable(
  database: ObjectDatabase,
  schemas: readonly SchemaManager[],
): Promise<void> {
  for (const plan of await planSchemas(database, schemas, { mode: 'never' })) refuse(plan)
}

function refuse({ name, generation, problem }: SchemaPlan): void {
  const details = { schema: name, generation }
  if (problem === 'tooHigh') {
    throw new GenerationTooHighError(
      `The data of ${name} is at generation ${generation}, which this program does not know. Use the version that wrote it, or a newer one.`,
      { details },
    )
  }
  if (problem === 'tooLow') {
    throw new GenerationTooLowError(
      `The data of ${name} is at generation ${generation}, and this program needs a later one. Open the database for writing, with mode evolve or evolveMinimum.`,
      { details },
    )
  }
}

/** One schema of one database, on its way. */
class Evolution {
  readonly #database: ObjectDatabase
  readonly #schema: CheckedSchema
  readonly #plan: SchemaPlan
  readonly #options: EvolveOptions

  constructor(
    database: ObjectDatabase,
    schema: CheckedSchema,
    plan: SchemaPlan,
    options: EvolveOptions,
  ) {
    this.#database = database
    this.#schema = schema
    this.#plan = plan
    this.#options = options
  }

  async run(): Promise<EvolveReport> {
    const { name, generation: from, does, target, steps } = this.#plan
    if (does === 'install') {
      await this.#install()
      return { name, from, generation: target, error: undefined }
    }
    if (does === 'nothing' && from === undefined) await this.#record(target)
    for (const { generation, isNeeded, about, batchesDone } of steps) {
      this.#tell({ generation, about, batches: batchesDone })
      try {
        await this.#step(generation, about)
      } catch (error) {
        const failure = this.#failure(generation, error, isNeeded)
        if (isNeeded) throw failure
        this.#database.onError(failure, 'evolve')
        return { name, from, generation: generation - 1, error: failure }
      }
    }
    return { name, from, generation: target, error: undefined }
  }

  async #install(): Promise<void> {
    const { name, generation, install } = this.#schema
    this.#tell({ generation, about: 'install', batches: 0 })
    try {
      await this.#transaction(`${name}: installing generation ${generation}`, async (context) => {
        const row = generationRow(context.rootMapping, name)
        if (row !== undefined && row.toInstall !== true) return
        await install?.(this.#contextOf(context, generation))
        setGenerationRow(context.rootMapping, name, { generation })
      })
    } catch (error) {
      throw this.#failure(generation, error, true)
    }
  }

  /** What was taken for granted is known from now on. */
  async #record(generation: number): Promise<void> {
    const { name } = this.#schema
    await this.#transaction(`${name}: at generation ${generation}`, async ({ rootMapping }) => {
      if (generationRow(rootMapping, name) === undefined) {
        setGenerationRow(rootMapping, name, { generation })
      }
    })
  }

  /** @throws what the step throws; CONTENT_INVALID_SCHEMA */
  async #step(generation: number, about: string): Promise<void> {
    const step = this.#schema.steps.get(generation)
    if (step === undefined) {
      throw new InvalidSchemaError(`${this.#schema.name} has no step to generation ${generation}`)
    }
    if (!isBatched(step)) {
      await this.#transaction(this.#note(generation), (context) =>
        this.#runWhole(step, generation, context),
      )
      return
    }
    for (let isOver = false; !isOver; ) {
      const { batches, after } = await this.#transaction(this.#note(generation), (context) =>
        this.#runBatch(step, generation, context),
      )
      isOver = after === undefined
      this.#tell({ generation, about, batches })
    }
  }

  async #runWhole(
    step: Exclude<SchemaStep, BatchedStep>,
    generation: number,
    context: TransactionContext,
  ): Promise<void> {
    if (this.#isBehind(context, generation)) return
    const run = typeof step === 'function' ? step : step.run.bind(step)
    await run(this.#contextOf(context, generation))
    setGenerationRow(context.rootMapping, this.#schema.name, { generation })
  }

  async #runBatch(
    step: BatchedStep,
    generation: number,
    context: TransactionContext,
  ): Promise<{ readonly batches: number; readonly after: unknown }> {
    const { name } = this.#schema
    if (this.#isBehind(context, generation)) return { batches: 0, after: undefined }
    const { underWay } = generationRow(context.rootMapping, name) ?? {}
    const begun = underWay?.generation === generation ? underWay : { batches: 0, after: undefined }
    const after = await step.batch(this.#contextOf(context, generation), begun.after)
    if (after !== undefined && isDeepStrictEqual(after, begun.after)) {
      throw new InvalidSchemaError(
        `A batch of the step to generation ${generation} of ${name} returned where it began; return undefined when all is done`,
      )
    }
    const batches = begun.batches + 1
    const row: GenerationRow =
      after === undefined
        ? { generation }
        : { generation: generation - 1, underWay: { generation, batches, after } }
    setGenerationRow(context.rootMapping, name, row)
    return { batches, after }
  }

  /** True when another evolution of this process has done it meanwhile. */
  #isBehind({ rootMapping }: TransactionContext, generation: number): boolean {
    const known = generationRow(rootMapping, this.#schema.name)?.generation
    return known !== undefined && known >= generation
  }

  /** Commits what `work` does, and only if that neither committed nor gave up by itself. */
  #transaction<T>(note: string, work: (context: TransactionContext) => Promise<T>): Promise<T> {
    const { signal } = this.#options
    return this.#database.transaction(
      async (context) => {
        let isAtWork = true
        let misstep: InvalidSchemaError | undefined
        context.transaction.addBeforeCommitHook(() => {
          if (!isAtWork) return
          misstep = this.#misstep('commits')
          throw misstep
        })
        const result = await work(context)
        isAtWork = false
        if (context.transaction.isDoomed()) misstep = this.#misstep('dooms its transaction')
        if (misstep !== undefined) throw misstep
        return result
      },
      { note, ...(signal !== undefined && { signal }) },
    )
  }

  #misstep(does: string): InvalidSchemaError {
    return new InvalidSchemaError(
      `A step of ${this.#schema.name} ${does}: it must only change objects, and return or throw`,
    )
  }

  #contextOf({ connection, rootMapping }: TransactionContext, generation: number): SchemaContext {
    const { signal } = this.#options
    return { root: rootFolderOf(connection), rootMapping, connection, generation, signal }
  }

  /** @throws what is no failure of the step: the signal's reason, and all when the database is closed. */
  #failure(generation: number, error: unknown, isNeeded: boolean): UnableToEvolveError {
    const { signal } = this.#options
    if (signal?.aborted === true && error === signal.reason) throw error
    if (!this.#database.isOpen) throw error
    const { name } = this.#schema
    const reason = error instanceof Error ? error.message : String(error)
    return new UnableToEvolveError(
      `The data of ${name} could not be brought to generation ${generation}: ${reason}. ` +
        (isNeeded
          ? 'The program needs that; nothing of the failed transaction is kept.'
          : 'The program works without; the next opening tries again.'),
      { cause: error, details: { schema: name, generation } },
    )
  }

  #note(generation: number): string {
    return `${this.#schema.name}: evolving to generation ${generation}`
  }

  #tell(progress: Pick<EvolveProgress, 'generation' | 'about' | 'batches'>): void {
    const { name: schema, target } = this.#plan
    try {
      this.#options.onProgress?.({ schema, target, ...progress })
    } catch (error) {
      this.#database.onError(error, 'onProgress')
    }
  }
}

function isBatched(step: SchemaStep): step is BatchedStep {
  return typeof step === 'object' && 'batch' in step && typeof step.batch === 'function'
}
