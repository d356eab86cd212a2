import { BTree, type Persistent } from '../persistence/index.js'

/** Where the root mapping has the tree of generations. On disk. */
export const GENERATIONS_KEY = 'treehook.generations'

/** What the database knows of one schema's data. The value of its name in the tree. */
export interface GenerationRow {
  readonly generation: number
  /** The batched step that has begun and not ended. */
  readonly underWay?: StepUnderWay
  /** `install` is still to be called. */
  readonly toInstall?: true
}

/** How far a batched step came. */
export interface StepUnderWay {
  /** To which it leads. */
  readonly generation: number
  readonly batches: number
  /** What the last batch returned. */
  readonly after: unknown
}

type RootMapping = BTree<string, Persistent>

/** `undefined` when the database has no record of the schema. */
export function generationRow(rootMapping: RootMapping, schema: string): GenerationRow | undefined {
  return queryRows(rootMapping)?.get(schema)
}

export function setGenerationRow(
  rootMapping: RootMapping,
  schema: string,
  row: GenerationRow,
): void {
  let rows = queryRows(rootMapping)
  if (rows === undefined) {
    rows = new BTree<string, GenerationRow>()
    rootMapping.set(GENERATIONS_KEY, rows as Persistent)
  }
  rows.set(schema, row)
}

function queryRows(rootMapping: RootMapping): BTree<string, GenerationRow> | undefined {
  return rootMapping.get(GENERATIONS_KEY) as BTree<string, GenerationRow> | undefined
}
