import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  aFunction,
  aPath,
  checkOption,
  checkOptions,
  type OptionRule,
  type OptionRules,
} from '../foundation/index.js'
import {
  type BlobName,
  type BlobSource,
  type ClassRow,
  formatBlobName,
  formatOid,
  ObjectNotFoundError,
  type Oid,
  piecesOf,
  type StorageRecord,
} from '../storage/index.js'
import { type BlobContent, blobContentOf } from './blob-content.js'
import { Digest } from './blob-input.js'
import { decodeNode, type EncodedNode, type TreeNode } from './btree/tree-node.js'
import { BLOB_FIELD_NAME, isTreeField } from './class-layout.js'
import { type Connection, connectionOf } from './connection.js'
import { describeObject } from './describe.js'
import {
  BlobDamagedError,
  BlobMissingError,
  DanglingReferenceError,
  InvalidDatabaseOptionError,
} from './errors.js'
import {
  EXPORT_FORMAT,
  EXPORT_VERSION,
  type ExportOptions,
  type ExportProgress,
  exportOptionRules,
} from './export-format.js'
import { type ExportedValue, toExportedValue } from './export-value.js'
import { oidOf, type Persistent } from './persistent.js'
import { Reference } from './reference.js'
import { unpackState } from './state-codec.js'

/** A stored object as an export looks at it: without its class. @public */
export interface ExportCandidate {
  readonly oid: Oid
  readonly storedName: string
  /** The object that a field refers to; `undefined` when it refers to none, or is no field. */
  referenceIn(field: string): Oid | undefined
}

/** @public */
export interface SubtreeOptions extends ExportOptions {
  /**
   * Says of each object that an exported one refers to whether it belongs to the export, too. Asked
   * about once for each. `'omit'`: it does not, and entries of trees with it are left out as well.
   * Default: all belong.
   */
  readonly belongs?: (candidate: ExportCandidate, context: SubtreeContext) => boolean | 'omit'
}

const A_TARGET: OptionRule = {
  accepts: (value) => aPath.accepts(value) || value instanceof Writable,
  words: 'the path of a file, or a Writable',
}

const OPTION_RULES: OptionRules<SubtreeOptions> = { ...exportOptionRules, belongs: aFunction }

/** @public */
export interface SubtreeContext {
  readonly root: Oid
  /** Any other stored object. */
  lookUp(oid: Oid): ExportCandidate | undefined
  /** True for objects that belong to the export, as far as it has come. */
  isExported(oid: Oid): boolean
}

/** @public */
export interface ExportSummary extends ExportProgress {
  /** Objects that exported ones refer to and that were left out. */
  readonly outside: readonly Oid[]
}

/**
 * Writes an object and what it leads to as JSON lines, as the running transaction found them, without
 * its own changes. Reads records and needs no classes. In memory it keeps the oids and little else.
 * Weak references are written and not followed.
 *
 * @param to - a file, which is replaced, and removed when the export fails; or a stream, which is
 *   ended.
 * @throws PERSISTENCE_INVALID_OPTION, PERSISTENCE_OUTSIDE_TRANSACTION, STORAGE_OBJECT_NOT_FOUND when it was never committed,
 *   PERSISTENCE_DANGLING_REFERENCE, PERSISTENCE_BLOB_MISSING, PERSISTENCE_BLOB_DAMAGED; the signal's reason; the errors of the file system.
 * @see ZODB's `exportFile`
 * @public
 */
export async function exportSubtree(
  object: Persistent,
  to: string | Writable,
  options: SubtreeOptions = {},
): Promise<ExportSummary> {
  checkOption('to', to, A_TARGET, InvalidDatabaseOptionError)
  checkOptions(options, OPTION_RULES, InvalidDatabaseOptionError)
  const subtree = new Subtree(object, options)
  const target = typeof to === 'string' ? createWriteStream(to) : to
  try {
    await pipeline(Readable.from(subtree.chunks()), target, { signal: options.signal })
  } catch (error) {
    if (typeof to === 'string') await rm(to, { force: true })
    options.signal?.throwIfAborted()
    throw error
  }
  return subtree.summary
}

const CHUNK_CHARACTERS = 64 * 1024
const ENTRIES_IN_LINE = 100
const BLOB_BYTES_IN_LINE = 192 * 1024

/** In place of the lines of a content, which are not read in one step. */
class ContentToExport {
  readonly oid: Oid
  readonly content: BlobContent

  constructor(oid: Oid, content: BlobContent) {
    this.oid = oid
    this.content = content
  }
}

class Subtree {
  readonly #connection: Connection
  readonly #root: Oid
  readonly #options: SubtreeOptions
  readonly #context: SubtreeContext
  readonly #exported = new Set<Oid>()
  readonly #outside = new Set<Oid>()
  readonly #omitted = new Set<Oid>()
  #waiting: Oid[] = []
  #objects = 0
  #entries = 0

  constructor(object: Persistent, options: SubtreeOptions) {
    const [connection, oid] = [connectionOf(object), oidOf(object)]
    if (connection === undefined || oid === undefined) {
      throw new ObjectNotFoundError(
        `${describeObject(object)} has no record to export; commit it first`,
      )
    }
    this.#connection = connection
    this.#root = oid
    this.#options = options
    this.#context = {
      root: oid,
      isExported: (one) => this.#exported.has(one),
      lookUp: (one) => {
        const record = connection.loadRecord(one)
        return record && this.#candidate(record)
      },
    }
    this.#load(oid)
  }

  get summary(): ExportSummary {
    return { ...this.#progress, outside: [...this.#outside] }
  }

  get #progress(): ExportProgress {
    return { objects: this.#objects, entries: this.#entries }
  }

  /** The lines, many at a time. */
  async *chunks(): AsyncGenerator<string, void, undefined> {
    let chunk = ''
    for (const line of this.#lines()) {
      if (line instanceof ContentToExport) {
        yield chunk
        chunk = ''
        yield* this.#blobLines(line)
        continue
      }
      chunk += `${JSON.stringify(line)}\n`
      if (chunk.length < CHUNK_CHARACTERS) continue
      yield chunk
      chunk = ''
      this.#options.onProgress?.(this.#progress)
    }
    yield chunk
    this.#options.onProgress?.(this.#progress)
  }

  *#lines(): Generator<object, void, undefined> {
    yield { format: EXPORT_FORMAT, version: EXPORT_VERSION, root: formatOid(this.#root) }
    this.#exported.add(this.#root)
    this.#waiting.push(this.#root)
    while (this.#waiting.length > 0) {
      const oids = this.#waiting
      this.#waiting = []
      for (const oid of oids) yield* this.#linesOf(this.#load(oid))
    }
    yield { kind: 'end', ...this.#progress }
  }

  *#linesOf(record: StorageRecord): Generator<object, void, undefined> {
    const { name, fields } = this.#rowOf(record)
    const values = unpackState(record)
    const exported: Record<string, ExportedValue> = {}
    let tree: TreeNode | undefined
    for (const [index, field] of fields.entries()) {
      if (field === BLOB_FIELD_NAME) continue
      if (!isTreeField(field)) exported[field] = this.#toJson(values[index])
      else if (values[index] !== undefined) tree = decodeNode(values[index] as EncodedNode)
    }
    const hasTree = fields.some(isTreeField)
    const oid = formatOid(record.oid)
    this.#objects++
    const content = blobContentOf(record, { fields })
    yield {
      kind: 'object',
      oid,
      class: name,
      ...(hasTree && { tree: true }),
      ...(fields.includes(BLOB_FIELD_NAME) && {
        blob: [content?.size ?? 0, content?.sha256 ?? ''],
      }),
      fields: exported,
    }
    if (content !== undefined) yield new ContentToExport(record.oid, content)
    if (tree !== undefined) yield* this.#entryLines(oid, tree)
  }

  async *#blobLines({ oid, content }: ContentToExport): AsyncGenerator<string, void, undefined> {
    const source = this.#openContent({ oid, contentId: content.id })
    const of = formatOid(oid)
    const digest = new Digest()
    try {
      for await (const piece of piecesOf(source, { pieceBytes: BLOB_BYTES_IN_LINE })) {
        digest.add(piece)
        const data = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('base64')
        yield `${JSON.stringify({ kind: 'blob', of, data })}\n`
        this.#options.onProgress?.(this.#progress)
      }
    } finally {
      source.close()
    }
    if (digest.end().sha256 === content.sha256) return
    throw new BlobDamagedError(
      `The content of the blob with oid ${of} is not what was once written. Restore it from a backup.`,
      { details: { oid: of } },
    )
  }

  #openContent(name: BlobName): BlobSource {
    const source = this.#connection.database.storage.blobs.open(name)
    if (source !== undefined) return source
    throw new BlobMissingError(
      `The content of the blob with oid ${formatOid(name.oid)} is not there: the database has no file ` +
        `${formatBlobName(name)} in its blobs. Restore it from a backup.`,
      { details: { oid: formatOid(name.oid), file: formatBlobName(name) } },
    )
  }

  *#entryLines(of: string, tree: TreeNode): Generator<object, void, undefined> {
    let entries: ExportedValue[] = []
    for (const [key, value] of this.#entriesOf(tree)) {
      if (this.#isOmitted(value)) continue
      this.#entries++
      entries.push([this.#toJson(key), this.#toJson(value)])
      if (entries.length < ENTRIES_IN_LINE) continue
      yield { kind: 'entries', of, entries }
      entries = []
    }
    if (entries.length > 0) yield { kind: 'entries', of, entries }
  }

  *#entriesOf(node: TreeNode): Generator<readonly [unknown, unknown], void, undefined> {
    for (let index = 0; index < node.items.length; index++) {
      const item = node.items[index]
      if (node.level === 0) yield [node.keys[index], item]
      else {
        const [child] = unpackState(this.#load((item as Reference).oid))
        yield* this.#entriesOf(decodeNode(child as EncodedNode))
      }
    }
  }

  #toJson(value: unknown): ExportedValue {
    return toExportedValue(value, (oid) => this.#includes(oid))
  }

  #isOmitted(value: unknown): boolean {
    return value instanceof Reference && !this.#includes(value.oid) && this.#omitted.has(value.oid)
  }

  /** Whether an object that was met belongs; if so, its turn will come. */
  #includes(oid: Oid): boolean {
    if (this.#exported.has(oid)) return true
    if (this.#outside.has(oid)) return false
    if (this.#omitted.has(oid)) return false
    const { belongs } = this.#options
    const decision = belongs?.(this.#candidate(this.#load(oid)), this.#context) ?? true
    if (decision !== true) {
      const leftOut = decision === 'omit' ? this.#omitted : this.#outside
      leftOut.add(oid)
      return false
    }
    this.#exported.add(oid)
    this.#waiting.push(oid)
    return true
  }

  #candidate(record: StorageRecord): ExportCandidate {
    const { name, fields } = this.#rowOf(record)
    return {
      oid: record.oid,
      storedName: name,
      referenceIn: (field) => {
        const value = unpackState(record)[fields.indexOf(field)]
        return value instanceof Reference ? value.oid : undefined
      },
    }
  }

  #load(oid: Oid): StorageRecord {
    const record = this.#connection.loadRecord(oid)
    if (record !== undefined) return record
    if (oid === this.#root) {
      throw new ObjectNotFoundError(`The object with oid ${formatOid(oid)} has no record to export`)
    }
    throw new DanglingReferenceError(
      `What is exported refers to oid ${formatOid(oid)}, which does not exist; restore a backup`,
      { details: { oid: formatOid(oid) } },
    )
  }

  #rowOf({ classId }: StorageRecord): Pick<ClassRow, 'name' | 'fields'> {
    return this.#connection.classes.rowOf(classId) ?? { name: `class ${classId}`, fields: [] }
  }
}
