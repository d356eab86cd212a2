import { createHash } from 'node:crypto'
import { codeOf } from '../../../lib/foundation/index.js'
import {
  type ObjectDatabase,
  type Oid,
  oidOf,
  type TransactionContext,
} from '../../../lib/persistence/index.js'
import { contentOf, reachedFrom } from './ledger.js'

/** Oid → a digest of each content that was committed for it, oldest first. */
export type ObjectBook = Readonly<Record<string, readonly string[]>>

/** What became of the objects of a book. */
export interface Comparison {
  /** Objects whose newest content is there. */
  readonly same: number
  /** Code → objects that cannot be read and say so. */
  readonly refused: Readonly<Record<string, number>>
  /** Objects that show what was committed for them once, but not last. */
  readonly stale: readonly string[]
  /** Objects that show what was never committed for them, or throw an error without a code. */
  readonly wrong: readonly string[]
}

/** Adds what the ledger holds now to what it held before. */
export function readObjectBook(db: ObjectDatabase, before: ObjectBook = {}): Promise<ObjectBook> {
  return db.view(({ rootMapping }) => {
    const book: Record<string, readonly string[]> = { ...before }
    for (const object of reachedFrom(rootMapping)) {
      const [oid, content] = [String(oidOf(object)), digest(contentOf(object))]
      const known = book[oid] ?? []
      if (known.at(-1) !== content) book[oid] = [...known, content]
    }
    return book
  })
}

/** Reads each object of the book by itself: one that cannot be read hides no other. */
export function compareObjects({ connection }: TransactionContext, book: ObjectBook): Comparison {
  const refused: Record<string, number> = {}
  const stale: string[] = []
  const wrong: string[] = []
  for (const [oid, contents] of Object.entries(book)) {
    try {
      const content = digest(contentOf(connection.get(Number(oid) as Oid)))
      if (content === contents.at(-1)) continue
      if (contents.includes(content)) stale.push(oid)
      else wrong.push(`${oid}: never committed`)
    } catch (error) {
      const code = codeOf(error)
      if (code === undefined) wrong.push(`${oid}: ${(error as Error).stack}`)
      else refused[code] = (refused[code] ?? 0) + 1
    }
  }
  const others = Object.values(refused).reduce((sum, n) => sum + n, stale.length + wrong.length)
  return { same: Object.keys(book).length - others, refused, stale, wrong }
}

function digest(content: string): string {
  return createHash('sha1').update(content).digest('base64')
}
