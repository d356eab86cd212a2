import { createReadStream } from 'node:fs'
import { aFunction, checkOptions, codeOf, type OptionRules } from '../foundation/index.js'
import type { Oid } from '../storage/index.js'
import { InvalidDatabaseOptionError, InvalidExportError, TruncatedExportError } from './errors.js'
import {
  EXPORT_FORMAT,
  EXPORT_VERSION,
  type ExportOptions,
  type ExportProgress,
  exportOptionRules,
} from './export-format.js'
import { parseOid } from './export-value.js'
import { ImportStore } from './import-store.js'
import type { ObjectDatabase } from './object-database.js'

/** @public */
export interface ImportOptions extends ExportOptions {
  /**
   * Says what a reference leads to whose object was not exported: an object of this database.
   * Default: nothing; the reference becomes `undefined`.
   */
  readonly outside?: (exported: Oid) => Oid | undefined
}

const OPTION_RULES: OptionRules<ImportOptions> = { ...exportOptionRules, outside: aFunction }

/** @public */
export interface ImportSummary extends ExportProgress {
  /** The object that was exported, under its new oid. Nothing refers to it yet. */
  readonly root: Oid
}

/**
 * Stores what {@link exportSubtree} wrote as new objects, with new oids, and needs no classes for it.
 * It makes transactions of its own, with a bounded number of lines in each, so call it outside of
 * others; in memory it keeps the oids and little else. Then give the root a place:
 *
 * ```ts
 * const { root: oid } = await importObject(db, './staff.jsonl')
 * await db.transaction(({ root, connection }) => { root.set('staff', connection.get(oid)) })
 * ```
 *
 * What was stored before an error or before the signal is reached by nothing, and goes with a later
 * pack; so does the root, until it has a place.
 *
 * @param from - a file, or its content piece by piece.
 * @throws PERSISTENCE_INVALID_OPTION, PERSISTENCE_INVALID_EXPORT, PERSISTENCE_TRUNCATED_EXPORT; the signal's reason; the errors of
 *   the source and of a commit.
 * @see ZODB's `importFile`
 * @public
 */
export async function importObject(
  database: ObjectDatabase,
  from: string | AsyncIterable<string | Uint8Array>,
  options: ImportOptions = {},
): Promise<ImportSummary> {
  checkOptions(options, OPTION_RULES, InvalidDatabaseOptionError)
  const importing = new Importing(database, options)
  try {
    for await (const line of linesOf(typeof from === 'string' ? createReadStream(from) : from)) {
      options.signal?.throwIfAborted()
      await importing.take(line)
    }
    return await importing.finish()
  } finally {
    await importing.close()
  }
}

/** Lines without their ends. What comes behind the last end is cut off, and so is refused. */
async function* linesOf(source: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let pieces: string[] = [] // of a line that is not complete
  for await (const piece of source) {
    const text = typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })
    const lines = text.split('\n')
    const rest = lines.pop() as string
    for (const line of lines) {
      pieces.push(line)
      yield pieces.join('')
      pieces = []
    }
    if (rest !== '') pieces.push(rest)
  }
  if (pieces.length > 0) {
    throw new TruncatedExportError('Truncated export file: its last line is not complete')
  }
}

const LINES_IN_TRANSACTION = 500
const CHARACTERS_IN_TRANSACTION = 512 * 1024

type Line = Readonly<Record<string, unknown>>

class Importing {
  readonly #options: ImportOptions
  readonly #store: ImportStore
  #batch: { readonly line: Line; readonly number: number }[] = []
  #characters = 0
  #number = 0
  #root: Oid | undefined // as exported
  #end: Line | undefined

  constructor(database: ObjectDatabase, options: ImportOptions) {
    this.#options = options
    this.#store = new ImportStore(database, options)
  }

  async take(text: string): Promise<void> {
    const line = parseLine(text, ++this.#number)
    if (this.#number === 1) this.#root = readHeader(line)
    else if (this.#end !== undefined)
      throw invalid('there is something behind the end', this.#number)
    else if (line.kind === 'end') this.#end = line
    else this.#batch.push({ line, number: this.#number })
    this.#characters += text.length
    const isFull =
      this.#batch.length >= LINES_IN_TRANSACTION || this.#characters >= CHARACTERS_IN_TRANSACTION
    if (isFull) await this.#storeBatch()
  }

  async finish(): Promise<ImportSummary> {
    if (this.#root === undefined) throw noHeader()
    if (this.#end === undefined) {
      throw new TruncatedExportError('Truncated export file: it has no end')
    }
    await this.#storeBatch()
    await this.#store.complete()
    const { objects, entries } = this.#store.progress
    if (this.#end.objects !== objects || this.#end.entries !== entries) {
      throw new TruncatedExportError(
        `Truncated export file: ${objects} of ${this.#end.objects} objects and ${entries} of ` +
          `${this.#end.entries} entries of trees are there`,
      )
    }
    return { root: this.#store.rootOf(this.#root), objects, entries }
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #storeBatch(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    this.#characters = 0
    for (const { line, number } of batch) {
      if (line.kind === 'blob') {
        await readingAsync(number, () => this.#store.takeBlob(line))
        continue
      }
      const isStored = reading(number, () => this.#store.take(line))
      // What follows a large tree needs what is in it to be committed.
      if (!isStored) {
        await this.#store.commit()
        reading(number, () => this.#store.take(line))
      }
    }
    await this.#store.commit()
    this.#options.onProgress?.(this.#store.progress)
  }
}

function parseLine(text: string, number: number): Line {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch (cause) {
    throw number === 1 ? noHeader(cause) : invalid('it is no JSON', number, cause)
  }
  if (typeof line === 'object' && line !== null) return line as Line
  throw number === 1 ? noHeader() : invalid('it is no object', number)
}

function readHeader({ format, version, root }: Line): Oid {
  if (format !== EXPORT_FORMAT) throw noHeader()
  if (version !== EXPORT_VERSION) {
    throw new InvalidExportError(
      `Invalid export header: this treehook reads version ${EXPORT_VERSION}, and the export has ${version}`,
    )
  }
  return reading(1, () => parseOid(root))
}

/** What `read` gives; what it throws as an error that names the line. */
function reading<T>(number: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw invalid((error as Error).message, number, error)
  }
}

async function readingAsync(number: number, read: () => Promise<void>): Promise<void> {
  try {
    await read()
  } catch (error) {
    // Of the disk, or of the line.
    if (codeOf(error) !== undefined) throw error
    throw invalid((error as Error).message, number, error)
  }
}

function noHeader(cause?: unknown): InvalidExportError {
  return new InvalidExportError('Invalid export header: this is no export of treehook', { cause })
}

function invalid(what: string, line: number, cause?: unknown): InvalidExportError {
  return new InvalidExportError(`Line ${line} of the export cannot be imported: ${what}`, {
    cause,
    details: { line },
  })
}
