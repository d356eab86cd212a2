import { type BlobDraft, formatOid, type Oid } from '../storage/index.js'
import {
  ExplicitTransactionManager,
  runInTransactionScope,
  type Transaction,
} from '../transaction/index.js'
import { rememberDraft } from './blob-drafts.js'
import { Digest } from './blob-input.js'
import { makeStandIn } from './broken-object.js'
import { BTree } from './btree/b-tree.js'
import type { Key } from './btree/keys.js'
import { rootOf, treeSet } from './btree/tree-access.js'
import { BLOB_FIELD_NAME, blobIndexIn, type ClassLayout, TREE_FIELD_NAME } from './class-layout.js'
import type { Connection } from './connection.js'
import { InvalidExportError, TruncatedExportError } from './errors.js'
import type { ExportProgress } from './export-format.js'
import { fromExportedValue, type ImportedReferences, parseOid } from './export-value.js'
import type { ObjectDatabase } from './object-database.js'
import { makeObject, Persistent, slotsOf } from './persistent.js'
import { Reference, WeakOid } from './reference.js'
import { Slots } from './slots.js'
import { importValue } from './stored-value.js'

/** An object with a tree whose entries are still coming. */
interface OpenTree {
  readonly exported: Oid
  readonly object: Persistent
  /** Keeps the entries of a tree that is too large for one transaction, until all are there. */
  keeper: Oid | undefined
}

/** A blob whose content is still coming. */
interface OpenBlob {
  readonly exported: Oid
  readonly object: Persistent
  readonly size: number
  readonly sha256: string
  readonly draft: BlobDraft
  readonly digest: Digest
  readonly received: { bytes: number }
}

/**
 * Stores the lines of an export as new objects, some in each transaction. Objects are made of classes
 * that stand in for their own, so that no class of the program has a say.
 */
export class ImportStore {
  readonly #connection: Connection
  readonly #manager: ExplicitTransactionManager
  readonly #outside: (exported: Oid) => Oid | undefined
  readonly #stored = new Map<Oid, Oid>() // exported → new
  readonly #expected = new Map<Oid, Oid>() // exported → new, for those that did not come yet
  readonly #missing = new Set<Oid>() // of these, exported, those that strong references lead to
  readonly #layouts = new Map<string, ClassLayout>()
  #transaction: Transaction | undefined
  #open: OpenTree | undefined
  #openBlob: OpenBlob | undefined
  /** For blobs whose first line of content has not come yet. */
  #announced: Omit<OpenBlob, 'draft' | 'digest' | 'received'> | undefined
  #objects = 0
  #entries = 0

  constructor(
    database: ObjectDatabase,
    { outside = () => undefined }: { readonly outside?: (exported: Oid) => Oid | undefined },
  ) {
    this.#outside = outside
    this.#manager = new ExplicitTransactionManager({ onError: database.onError })
    this.#connection = database.connect({ transactionManager: this.#manager, mayDangle: true })
  }

  get progress(): ExportProgress {
    return { objects: this.#objects, entries: this.#entries }
  }

  /**
   * @returns false when what came before must be committed first: then commit, and give the line again.
   * @throws TypeError and others when the line is none of an export.
   */
  take(line: Readonly<Record<string, unknown>>): boolean {
    if (this.#isBlobOpen) throw new TypeError('the content of a blob is missing')
    this.#transaction ??= this.#begin()
    return runInTransactionScope(this.#transaction, () => {
      if (line.kind === 'entries') {
        this.#takeEntries(line)
        return true
      }
      if (line.kind !== 'object') {
        throw new TypeError(`lines of the kind ${line.kind} need a newer treehook`)
      }
      if (!this.#closeTree()) return false
      this.#takeObject(line)
      return true
    })
  }

  get #isBlobOpen(): boolean {
    return this.#announced !== undefined || this.#openBlob !== undefined
  }

  /** @throws TypeError when the line is none of a content that is due; STORAGE_FULL */
  async takeBlob({ of, data }: Readonly<Record<string, unknown>>): Promise<void> {
    const open = await this.#blobFor(parseOid(of))
    if (typeof data !== 'string') throw new TypeError('a piece of a blob has data')
    const bytes = Buffer.from(data, 'base64')
    open.digest.add(bytes)
    open.received.bytes += bytes.length
    await open.draft.write(bytes)
    if (open.received.bytes < open.size) return
    if (open.received.bytes > open.size || open.digest.end().sha256 !== open.sha256) {
      throw new TypeError('the content of a blob is not what was exported')
    }
    await open.draft.finish()
    this.#transaction ??= this.#begin()
    runInTransactionScope(this.#transaction, () => this.#addBlob(open))
  }

  async #blobFor(exported: Oid): Promise<OpenBlob> {
    const announced = this.#announced
    if (announced !== undefined && announced.exported === exported) {
      const draft = await this.#connection.database.storage.blobs.create()
      this.#announced = undefined
      this.#openBlob = { ...announced, draft, digest: new Digest(), received: { bytes: 0 } }
    }
    if (this.#openBlob?.exported === exported) return this.#openBlob
    throw new TypeError('the content of a blob stands behind its object')
  }

  #addBlob({ object, exported, draft, size, sha256 }: OpenBlob): void {
    const { values, layout } = slotsOf(object)
    values[blobIndexIn(layout.names)] = Object.freeze({ id: draft.contentId, size, sha256 })
    rememberDraft(draft)
    this.#connection.stageBlobs().stage(object, draft.contentId)
    this.#openBlob = undefined
    this.#addOrOpen(exported, object)
  }

  async commit(): Promise<void> {
    const transaction = this.#transaction
    if (transaction === undefined) return
    this.#transaction = undefined
    runInTransactionScope(transaction, () => this.#keepEntries())
    try {
      await transaction.commit()
    } catch (error) {
      await transaction.abort()
      throw error
    }
    this.#connection.cacheMinimize()
  }

  /** The last line was taken. @throws PERSISTENCE_INVALID_EXPORT when objects are missing. */
  async complete(): Promise<void> {
    if (this.#isBlobOpen) throw new TruncatedExportError('Truncated export file: a blob is cut off')
    this.#transaction ??= this.#begin()
    const isClosed = runInTransactionScope(this.#transaction, () => this.#closeTree())
    await this.commit()
    if (!isClosed) await this.complete()
    for (const oid of this.#missing) {
      throw new InvalidExportError(
        `The export refers to its object ${formatOid(oid)}, which is not in it`,
        { details: { oid: formatOid(oid) } },
      )
    }
  }

  /** @throws PERSISTENCE_INVALID_EXPORT when there was no such object. */
  rootOf(exported: Oid): Oid {
    const oid = this.#stored.get(exported)
    if (oid !== undefined) return oid
    throw new InvalidExportError(`The export's root ${formatOid(exported)} is not in it`)
  }

  async close(): Promise<void> {
    await this.#openBlob?.draft.discard()
    await this.#transaction?.abort()
    this.#connection.close()
  }

  #begin(): Transaction {
    const transaction = this.#manager.begin()
    transaction.note('import')
    return transaction
  }

  #takeObject(line: Readonly<Record<string, unknown>>): void {
    const { oid, class: name, fields, tree, blob } = line
    if (typeof name !== 'string' || name === '' || typeof fields !== 'object' || fields === null) {
      throw new TypeError('an object has a class and fields')
    }
    const exported = parseOid(oid)
    if (this.#stored.has(exported)) throw new TypeError(`the object ${oid} is there already`)
    const values = Object.entries(fields).map(([field, value]) => this.#valueOf(value, field))
    const names = Object.keys(fields)
    for (const [has, field] of [
      [tree === true, TREE_FIELD_NAME],
      [blob !== undefined, BLOB_FIELD_NAME],
    ] as const) {
      if (!has) continue
      names.push(field)
      values.push(undefined)
    }
    const object = this.#make(name, names, values)
    const content = blob === undefined ? undefined : announcedContent(blob)
    if (content === undefined) this.#addOrOpen(exported, object)
    else this.#announced = { exported, object, ...content }
  }

  /** One with a tree waits until that is there. */
  #addOrOpen(exported: Oid, object: Persistent): void {
    if (slotsOf(object).layout.treeIndex === -1) this.#add(exported, object)
    else this.#open = { exported, object, keeper: undefined }
  }

  #make(name: string, fields: readonly string[], values: unknown[]): Persistent {
    const key = JSON.stringify([name, ...fields])
    let layout = this.#layouts.get(key)
    if (layout === undefined) {
      layout = makeStandIn({ name, fields }, Persistent, { isBroken: false })
      this.#layouts.set(key, layout)
    }
    return makeObject(Slots.ofNew(layout, values))
  }

  #add(exported: Oid, object: Persistent): void {
    const oid = this.#newOid(exported)
    this.#connection.addAs(object, oid)
    this.#expected.delete(exported)
    this.#missing.delete(exported)
    this.#stored.set(exported, oid)
    this.#objects++
  }

  #takeEntries({ of, entries }: Readonly<Record<string, unknown>>): void {
    const open = this.#open
    if (open === undefined || open.exported !== parseOid(of) || !Array.isArray(entries)) {
      throw new TypeError('entries stand behind their object')
    }
    const tree = open.keeper === undefined ? open.object : this.#connection.get(open.keeper)
    for (const entry of entries as unknown[]) {
      if (!Array.isArray(entry) || entry.length !== 2) throw new TypeError('an entry is a pair')
      const key = this.#valueOf(entry[0], 'a key') as Key
      treeSet(tree, key, this.#valueOf(entry[1], `[${String(key)}]`))
      this.#entries++
    }
  }

  /** The transaction ends before the tree: a tree of its own takes the entries over. */
  #keepEntries(): void {
    const open = this.#open
    if (open === undefined || open.keeper !== undefined) return
    const keeper = new BTree()
    slotsOf(keeper).tree = slotsOf(open.object).tree
    slotsOf(open.object).tree = undefined
    open.keeper = this.#connection.add(keeper)
  }

  /**
   * Stores the object whose tree is complete. It takes the nodes over from what kept them; that is
   * garbage then.
   * @returns false when there are nodes that are not committed yet.
   */
  #closeTree(): boolean {
    const open = this.#open
    if (open === undefined) return true
    if (open.keeper !== undefined) {
      const keeper = slotsOf(this.#connection.get(open.keeper))
      if (keeper.changed) return false
      const { values, layout } = slotsOf(open.object)
      if (keeper.generation !== keeper.owner.generation) {
        keeper.owner.activate(this.#connection.get(open.keeper))
      }
      values[layout.treeIndex] = rootOf(keeper)
    }
    this.#open = undefined
    this.#add(open.exported, open.object)
    return true
  }

  #valueOf(json: unknown, where: string): unknown {
    return importValue(fromExportedValue(json, this.#references), where)
  }

  readonly #references: ImportedReferences = {
    strong: (exported) => {
      if (!this.#stored.has(exported)) this.#missing.add(exported)
      return new Reference(this.#newOid(exported))
    },
    weak: (exported) => new WeakOid(this.#newOid(exported)),
    outside: (exported) => {
      const oid = this.#outside(exported)
      return oid === undefined ? undefined : new Reference(oid)
    },
  }

  #newOid(exported: Oid): Oid {
    let oid = this.#stored.get(exported) ?? this.#expected.get(exported)
    if (oid === undefined) {
      oid = this.#connection.newOid()
      this.#expected.set(exported, oid)
    }
    return oid
  }
}

/** What an object's line says of its content; `undefined` when it is empty. */
function announcedContent(
  blob: unknown,
): { readonly size: number; readonly sha256: string } | undefined {
  const [size, sha256] = Array.isArray(blob) ? (blob as unknown[]) : []
  if (!Number.isSafeInteger(size) || (size as number) < 0 || typeof sha256 !== 'string') {
    throw new TypeError('a blob has a size and a checksum')
  }
  return size === 0 ? undefined : { size: size as number, sha256 }
}
