import { ClassicLevel } from 'classic-level'
import type { Tid } from '../lib/index.js'
import { commitKeys, objectKeys } from '../lib/storage/key-space.js'

/** One row of LevelDB. */
export interface Row {
  readonly key: Buffer
  readonly value: Buffer
}

/** What a commit of the database writes, in the two forms that it can have. */
export interface CommitRows {
  /** One for each object, under the same key in each commit. */
  readonly records: readonly Row[]
  /** All of it as one value, under a new key in each commit. */
  readonly whole: Row
}

/** How a commit can be given to LevelDB. */
export const FORMS = ['array batch', 'chained batch', 'one value'] as const
export type Form = (typeof FORMS)[number]

/** LevelDB without us: what it does with the same bytes in a directory of its own. */
export class RawLevel {
  readonly #level: ClassicLevel<Buffer, Buffer>
  #commits = 0
  #waiting: Waiting[] = []
  #flushing: Promise<void> | undefined

  static async open(location: string): Promise<RawLevel> {
    const level = new ClassicLevel<Buffer, Buffer>(location, LEVEL_OPTIONS)
    await level.open()
    return new RawLevel(level)
  }

  private constructor(level: ClassicLevel<Buffer, Buffer>) {
    this.#level = level
  }

  /** How many commits were made. */
  get commits(): number {
    return this.#commits
  }

  /** One commit at a time, in one of the forms. */
  async commit(rows: CommitRows, { form, sync }: { form: Form; sync: boolean }): Promise<void> {
    const key = this.#nextCommitKey()
    const { records, whole } = rows
    const head = whole.value.subarray(0, HEAD_BYTES)
    if (form === 'array batch') {
      const written = [...records, { key, value: head }]
      await this.#level.batch(
        written.map((row) => ({ type: 'put', ...row })),
        { sync },
      )
    } else if (form === 'chained batch') {
      const batch = this.#level.batch()
      for (const record of records) batch.put(record.key, record.value)
      batch.put(key, head)
      await batch.write({ sync })
    } else {
      await this.#level.put(key, whole.value, { sync })
    }
  }

  /**
   * The ceiling of many clients: all commits that wait go into one chained batch, written once.
   * Resolves when it is written.
   */
  commitTogether(rows: CommitRows, { sync }: { readonly sync: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rows, resolve, reject })
      this.#flushing ??= this.#flush(sync)
    })
  }

  /** How many rows of commits are there: as many as commits were made. */
  async commitRows(): Promise<number> {
    return (await this.#level.keys(commitKeys.range).all()).length
  }

  /**
   * Writes records and makes tables of them, as those are which a database finds when it is opened.
   * @returns their keys.
   */
  async fill({ records, bytes }: { records: number; bytes: number }): Promise<readonly Buffer[]> {
    const keys = Array.from({ length: records }, (_, id) => objectKeys.encode(id as never))
    const batch = this.#level.batch()
    for (const key of keys) batch.put(key, Buffer.alloc(bytes, key))
    await batch.write()
    await this.#level.compactRange(keys[0] as Buffer, keys[records - 1] as Buffer)
    return keys
  }

  /** Reads some of the keys, always the same ones. */
  read(keys: readonly Buffer[], count: number): Buffer | undefined {
    const step = Math.floor(keys.length / count)
    let value: Buffer | undefined
    for (let i = 0; i < count; i++) value = this.#level.getSync(keys[i * step] as Buffer)
    return value
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#level.close()
  }

  async #flush(sync: boolean): Promise<void> {
    for (;;) {
      // Clients that the last batch served commit again within this turn: all of them join.
      await new Promise(setImmediate)
      const waiting = this.#waiting
      this.#waiting = []
      if (waiting.length === 0) break
      const batch = this.#level.batch()
      for (const { rows } of waiting) batch.put(this.#nextCommitKey(), rows.whole.value)
      try {
        await batch.write({ sync })
        for (const { resolve } of waiting) resolve()
      } catch (error) {
        for (const { reject } of waiting) reject(error)
      }
    }
    this.#flushing = undefined
  }

  #nextCommitKey(): Buffer {
    return commitKeys.encode(++this.#commits as Tid)
  }
}

/**
 * The rows that `commit` writes to the database in `location`, found in the directory itself: the
 * database must be closed before and after, which brings its records to rows of their own.
 */
export async function rowsWrittenBy(
  location: string,
  commit: () => Promise<void>,
): Promise<CommitRows> {
  const before = await readRows(location)
  await commit()
  const after = await readRows(location)
  const written = [...after.values()].filter(
    ({ key, value }) => !before.get(key.toString('hex'))?.value.equals(value),
  )
  const [whole, ...others] = written.filter(({ key }) => key[0] === commitKeys.prefix)
  if (whole === undefined || others.length > 0) {
    throw new Error(`The rows in ${location} are not those of one commit more`)
  }
  return { records: written.filter(({ key }) => key[0] === objectKeys.prefix), whole }
}

/** The same commit of another client: of the same size, to objects of its own. */
export function rowsOfClient(rows: CommitRows, client: number): CommitRows {
  const records = rows.records.map(({ value }, i) => ({
    key: objectKeys.encode((client * rows.records.length + i) as never),
    value,
  }))
  return { ...rows, records }
}

interface Waiting {
  readonly rows: CommitRows
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What a commit says beside its records. */
const HEAD_BYTES = 44

/** As the database opens it. */
const LEVEL_OPTIONS = {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  cacheSize: 64 * 1024 * 1024,
} as const

async function readRows(location: string): Promise<Map<string, Row>> {
  const level = new ClassicLevel<Buffer, Buffer>(location, LEVEL_OPTIONS)
  try {
    const entries = await level.iterator().all()
    return new Map(entries.map(([key, value]) => [key.toString('hex'), { key, value }]))
  } finally {
    await level.close()
  }
}
