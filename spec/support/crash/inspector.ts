/**
 * The process that opens what is left: reads jobs from stdin, one line of JSON each, and answers each
 * with one line. It lives on for the next job unless a job kills it.
 */
import { createInterface } from 'node:readline'
import { codeOf } from '../../../lib/foundation/index.js'
import { type Problem, verify } from '../../../lib/operations/index.js'
import { ObjectDatabase } from '../../../lib/persistence/index.js'
import { createDirectoryStorage, type Storage } from '../../../lib/storage/index.js'
import { Ledger, type LedgerOptions, type LedgerReport } from './ledger.js'
import { type Comparison, compareObjects, type ObjectBook, readObjectBook } from './object-book.js'

export type Job =
  /** Opens the database and checks its ledger. */
  | ({ readonly do: 'check'; readonly directory: string } & LedgerOptions)
  /** Commits one transaction after another, and writes down every content of every object. */
  | ({ readonly do: 'grow'; readonly directory: string; readonly commits: number } & LedgerOptions)
  /** Compares every object with what was once committed for it. */
  | { readonly do: 'compare'; readonly directory: string; readonly book: ObjectBook }
  /** Verifies the database. */
  | { readonly do: 'verify'; readonly directory: string }

export type Answer =
  | { readonly outcome: 'checked'; readonly report: LedgerReport }
  | { readonly outcome: 'grown'; readonly book: ObjectBook }
  | { readonly outcome: 'compared'; readonly comparison: Comparison }
  | { readonly outcome: 'verified'; readonly problems: readonly Problem[] }
  /** By an error with a code. */
  | { readonly outcome: 'refused'; readonly code: string; readonly message: string }
  /** By anything else. */
  | { readonly outcome: 'threw'; readonly message: string }

/** Small, so that a short history makes many logs and tables. */
const WRITE_BUFFER_BYTES = 64 * 1024

const COMMITS_A_CHECKPOINT = 20

async function answer(job: Job): Promise<Answer> {
  try {
    if (job.do === 'verify') {
      const { problems } = await verify(job.directory)
      return { outcome: 'verified', problems }
    }
    const level = { writeBufferBytes: WRITE_BUFFER_BYTES }
    const storage = createDirectoryStorage(job.directory, level)
    const db = await ObjectDatabase.open(job.directory, { storage, onError: () => undefined })
    try {
      return await work(job, { db, storage })
    } finally {
      await db.close()
    }
  } catch (error) {
    const code = codeOf(error)
    return code === undefined
      ? { outcome: 'threw', message: error instanceof Error ? error.stack! : String(error) }
      : { outcome: 'refused', code, message: (error as Error).message }
  }
}

interface Opened {
  readonly db: ObjectDatabase
  readonly storage: Storage
}

async function work(job: Exclude<Job, { do: 'verify' }>, { db, storage }: Opened): Promise<Answer> {
  if (job.do === 'check') return { outcome: 'checked', report: await new Ledger(db, job).check() }
  if (job.do === 'grow') return { outcome: 'grown', book: await grow({ db, storage }, job) }
  const comparison = await db.view((context) => compareObjects(context, job.book))
  return { outcome: 'compared', comparison }
}

async function grow(
  { db, storage }: Opened,
  { commits, ...options }: LedgerOptions & { readonly commits: number },
): Promise<ObjectBook> {
  const ledger = new Ledger(db, options)
  await ledger.make()
  let book = await readObjectBook(db)
  for (let i = 0; i < commits; i++) {
    await ledger.transact(i % options.clients)
    book = await readObjectBook(db, book)
    // What stays in the redo log alone is read from there.
    if (i % COMMITS_A_CHECKPOINT === 0) await storage.checkpoint()
  }
  return book
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line) as Job)))
}
