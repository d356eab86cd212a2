import type { BTree, Connection, Persistent } from '../persistence/index.js'
import type { RootFolder } from './container.js'
import { InvalidSchemaError } from './errors.js'

/**
 * Says which form a package's data has in the database, and how older data gets it. The form has a
 * number, its generation: raise it with each change that stored data must follow, and add the step
 * that leads there.
 *
 * ```ts
 * const schema: SchemaManager = {
 *   name: 'shop',
 *   generation: 2,
 *   steps: {
 *     1: ({ root }) => { root.set('orders', new Folder()) },
 *     2: { about: 'prices in cents', run: ({ root }) => { … } },
 *   },
 * }
 * await Database.open('./data', { schemas: [schema] })
 * ```
 *
 * Source: `zope.generations.interfaces.ISchemaManager`.
 * @public
 */
export interface SchemaManager {
  /** Whose data it is: the name of a package. On disk. */
  readonly name: string
  /** What the program writes. From 0 up. */
  readonly generation: number
  /** The oldest that the program can work with. Steps up to it are needed; default 0: none is. */
  readonly minimumGeneration?: number
  /** By the generation that a step leads to, from the one before. Without gaps, up to `generation`. */
  readonly steps?: Readonly<Record<number, SchemaStep>>
  /**
   * Called once, instead of any step, where the database has no record of this schema yet: a new
   * database, or a new package.
   */
  readonly install?: (context: SchemaContext) => void | PromiseLike<void>
  /**
   * The generation of data that is older than its schema manager: taken in place of `install` when an
   * existing database has no record of it. Default: there is no such data.
   */
  readonly unrecordedGeneration?: number
}

/** What leads from one generation to the next. A function is a step of one transaction. @public */
export type SchemaStep =
  | ((context: SchemaContext) => void | PromiseLike<void>)
  | WholeStep
  | BatchedStep

/** A step in one transaction. @public */
export interface WholeStep {
  /** What it does, for people. */
  readonly about?: string
  run(context: SchemaContext): void | PromiseLike<void>
}

/**
 * A step in many transactions, for more data than one should hold. Each stores how far it came, so
 * that the next one, also in another process after a kill, goes on there.
 * @public
 */
export interface BatchedStep {
  /** What it does, for people. */
  readonly about?: string
  /**
   * Does some of the work, and no more than memory holds.
   * @param after - what the batch before returned; `undefined` for the first.
   * @returns from where to go on, any value that can be stored; `undefined` when all is done.
   */
  batch(context: SchemaContext, after: unknown): unknown
}

/** What a step works with. It changes objects, and neither commits nor aborts. @public */
export interface SchemaContext {
  /** The folder at `/`. */
  readonly root: RootFolder
  readonly rootMapping: BTree<string, Persistent>
  readonly connection: Connection
  /** To which the step leads. */
  readonly generation: number
  readonly signal: AbortSignal | undefined
}

/** A schema manager with all that may be left out. */
export interface CheckedSchema {
  readonly name: string
  readonly generation: number
  readonly minimumGeneration: number
  readonly steps: ReadonlyMap<number, SchemaStep>
  readonly install: SchemaManager['install']
  readonly unrecordedGeneration: number | undefined
}

/** @throws CONTENT_INVALID_SCHEMA */
export function checkedSchemas(managers: readonly SchemaManager[]): readonly CheckedSchema[] {
  const checked = managers.map(checkedSchema)
  const names = new Set<string>()
  for (const { name } of checked) {
    if (names.has(name)) throw new InvalidSchemaError(`Two schema managers are named ${name}`)
    names.add(name)
  }
  return checked
}

function checkedSchema(manager: SchemaManager): CheckedSchema {
  const { name, generation, minimumGeneration = 0, install, unrecordedGeneration } = manager
  if (typeof name !== 'string' || name === '') {
    throw new InvalidSchemaError(
      'A schema manager has a name: that of the package whose data it is',
    )
  }
  refuseNumber(name, 'generation', generation, Number.MAX_SAFE_INTEGER)
  refuseNumber(name, 'minimumGeneration', minimumGeneration, generation)
  if (unrecordedGeneration !== undefined) {
    refuseNumber(name, 'unrecordedGeneration', unrecordedGeneration, generation)
  }
  const steps = checkedSteps(name, generation, manager.steps ?? {})
  if (install !== undefined && typeof install !== 'function') {
    throw new InvalidSchemaError(`The schema ${name} has an install that is no function`)
  }
  return { name, generation, minimumGeneration, steps, install, unrecordedGeneration }
}

function refuseNumber(schema: string, what: string, value: unknown, highest: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= highest) return
  const bound = highest === Number.MAX_SAFE_INTEGER ? '' : ` to its generation, ${highest}`
  throw new InvalidSchemaError(
    `The ${what} of the schema ${schema} is ${String(value)}; give a whole number from 0${bound}`,
    { details: { schema, [what]: value } },
  )
}

function checkedSteps(
  schema: string,
  generation: number,
  steps: Readonly<Record<number, SchemaStep>>,
): ReadonlyMap<number, SchemaStep> {
  const rising = Object.entries(steps)
    .map(([key, step]) => [Number(key), step] as const)
    .sort(([one], [other]) => one - other)
  rising.forEach(([number, step], index) => {
    const expected = generation - rising.length + 1 + index
    if (number !== expected || number < 1) {
      throw new InvalidSchemaError(
        `The schema ${schema} is at generation ${generation} and has steps to ${rising.map(([to]) => to).join(', ')}: ` +
          'each needs the one before it, and the last leads to the generation',
        { details: { schema, generation } },
      )
    }
    refuseStep(schema, number, step)
  })
  return new Map(rising)
}

function refuseStep(schema: string, number: number, step: unknown): void {
  const { run, batch } = Object(step) as Partial<WholeStep & BatchedStep>
  const ways = [step, run, batch].filter((one) => typeof one === 'function').length
  if (ways === 1) return
  throw new InvalidSchemaError(
    `The step to generation ${number} of the schema ${schema} is a function, or has either run or batch`,
    { details: { schema, generation: number } },
  )
}
