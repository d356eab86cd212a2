import type { Persistent } from '../persistence/index.js'
import { InvalidSchemaError } from './errors.js'
import { fits, walkObjects } from './find-objects.js'
import type { BatchedStep, SchemaContext } from './schema-manager.js'
import type { Expected } from './traverse.js'

/** @public */
export interface EvolveObjectsOptions<T> {
  /** What the step does, for people. */
  readonly about?: string
  /** Where the walk begins; default the root folder. */
  readonly in?: (context: SchemaContext) => Persistent
  /** Only objects of this class, or that provide this interface. */
  readonly providing?: Expected<T>
  /** Only objects for which this gives true. */
  readonly matching?: (object: T) => boolean
  /** Brings one object to the new form. */
  readonly change: (object: T, context: SchemaContext) => void | PromiseLike<void>
  /** How many objects each transaction looks at, about. Default 1000. */
  readonly batchSize?: number
}

/**
 * A step that changes each object below a folder that fits, some in each transaction: for data that is
 * more than memory holds, and for a step that survives a kill. Objects come in the order of
 * {@link findObjects}. One that is moved behind the walk's place meanwhile comes again.
 *
 * ```ts
 * 3: evolveObjects({ about: 'prices in cents', providing: Product, change: (it) => { it.cents = it.price * 100 } })
 * ```
 * @throws CONTENT_INVALID_SCHEMA when the batch size is no whole number from 1 up.
 * @public
 */
export function evolveObjects<T = Persistent>(options: EvolveObjectsOptions<T>): BatchedStep {
  const { about, change, batchSize = DEFAULT_BATCH_SIZE } = options
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new InvalidSchemaError(`A batch of ${batchSize} objects; give a whole number from 1 up`)
  }
  const root = options.in ?? (({ root }: SchemaContext): Persistent => root)
  return {
    ...(about !== undefined && { about }),
    async batch(context, after) {
      let left = batchSize
      for (const { object, position } of walkObjects(root(context), after as string[])) {
        if (fits(object, options.providing, options.matching)) {
          const changing = change(object as unknown as T, context)
          if (changing !== undefined) await changing
        }
        if (--left === 0) return position
      }
      return undefined
    },
  }
}

const DEFAULT_BATCH_SIZE = 1000
