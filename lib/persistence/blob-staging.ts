import { type BlobName, formatBlobName, formatOid, type Tid } from '../storage/index.js'
import type { BlobContent } from './blob-content.js'
import { draftWith, forgetDraft } from './blob-drafts.js'
import type { BlobKeeper } from './blob-keeper.js'
import { blobIndexIn } from './class-layout.js'
import { describeObject } from './describe.js'
import { BlobDiscardedError, BlobMissingError, BlobUnfinishedError } from './errors.js'
import { type Persistent, slotsOf } from './persistent.js'
import type { PendingObject } from './serializer.js'

/** A content that is being written. */
export interface BlobWrite {
  readonly blob: Persistent
  /** Aborted when the transaction ends before it. */
  readonly stop: AbortController
}

/** Blobs that are being written now, whether a connection knows them or not. */
export const writtenBlobs = new WeakSet<Persistent>()

/** What one connection's transaction does with the contents of blobs. */
export class BlobStaging {
  readonly #keeper: BlobKeeper
  readonly #writes = new Set<BlobWrite>()
  #staged: { readonly id: string; readonly blob: Persistent }[] = [] // in the order of writing
  #placed: BlobName[] = []
  #doubted: BlobName[] = [] // committed contents that this transaction takes the place of
  #isSubmitted = false
  #cleaning: Promise<void> = Promise.resolve()

  constructor(keeper: BlobKeeper) {
    this.#keeper = keeper
  }

  get store() {
    return this.#keeper.store
  }

  begin(blob: Persistent): BlobWrite {
    const write = { blob, stop: new AbortController() }
    this.#writes.add(write)
    return write
  }

  end(write: BlobWrite): void {
    this.#writes.delete(write)
  }

  /** The draft of this content goes with the transaction. */
  stage(blob: Persistent, id: string): void {
    this.#staged.push({ id, blob })
  }

  get isEmpty(): boolean {
    return this.#staged.length === 0 && this.#placed.length === 0 && this.#writes.size === 0
  }

  /** How many contents were written, for {@link rollbackTo}. */
  get count(): number {
    return this.#staged.length
  }

  /** Forgets the contents written since that no blob has any more. Resolves when their files are gone. */
  rollbackTo(count: number): Promise<void> {
    for (const one of this.#staged.splice(count)) {
      if (contentOf(one.blob)?.id === one.id) this.#staged.push(one)
      else this.#clean(forgetDraft(one.id))
    }
    return this.#cleaning
  }

  /**
   * Puts the contents of what is to be committed where its records will name them.
   * @returns the same, with contents named by their own oids.
   * @throws PERSISTENCE_BLOB_UNFINISHED, PERSISTENCE_BLOB_DISCARDED, PERSISTENCE_BLOB_MISSING, STORAGE_FULL
   */
  async place(pending: readonly PendingObject[]): Promise<readonly PendingObject[]> {
    this.#refuseUnfinished(pending)
    const placed: PendingObject[] = []
    for (const one of pending) {
      placed.push(one.layout.blobIndex === -1 ? one : await this.#placeOne(one))
    }
    return placed
  }

  /** The commit is on its way: only the next opening can tell whether its contents are named. */
  submitted(): void {
    this.#isSubmitted = true
  }

  /** The commit is published. Called in that step. */
  published(pending: readonly PendingObject[], tid: Tid): void {
    const { keepsHistory } = this.#keeper
    for (const { oid, slots, layout } of pending) {
      const before = slots.committed?.values[layout.blobIndex] as BlobContent | undefined
      const isDoubted = before !== undefined && this.#doubted.some(({ oid: one }) => one === oid)
      if (isDoubted && !keepsHistory) this.#keeper.supersede({ oid, contentId: before.id }, tid)
    }
  }

  /** The commit is published, and these are its objects as they were written. Does not fail. */
  async settle(written: readonly PendingObject[]): Promise<void> {
    await this.#confirm(written).catch(this.#keeper.report)
    await this.discard()
  }

  async #confirm(written: readonly PendingObject[]): Promise<void> {
    const named = new Set(
      written.map((one) => (one.layout.blobIndex === -1 ? undefined : idIn(one))),
    )
    for (const name of this.#placed) {
      if (named.has(name.contentId)) await this.store.confirm(name)
      else await this.store.remove(name)
      this.#keeper.setInFlight(name, false)
      await forgetDraft(name.contentId)
    }
  }

  /** Ends what is under way. What was placed goes, unless its commit was submitted. */
  async discard(): Promise<void> {
    for (const { stop } of this.#writes) stop.abort()
    const placed = this.#isSubmitted ? [] : this.#placed
    const doubted = this.#isSubmitted ? [] : this.#doubted
    for (const name of this.#placed) this.#keeper.setInFlight(name, false)
    const staged = this.#staged
    this.#staged = []
    this.#placed = []
    this.#doubted = []
    this.#isSubmitted = false
    this.#clean(this.#forget(staged, placed, doubted))
    await this.#cleaning
  }

  async #forget(
    staged: readonly { readonly id: string }[],
    placed: readonly BlobName[],
    doubted: readonly BlobName[],
  ): Promise<void> {
    for (const { id } of staged) await forgetDraft(id)
    for (const name of placed) await this.store.remove(name)
    for (const name of doubted) await this.store.confirm(name)
  }

  #clean(cleaning: Promise<void>): void {
    const before = this.#cleaning
    this.#cleaning = cleaning.catch(this.#keeper.report).then(() => before)
  }

  async #placeOne(pending: PendingObject): Promise<PendingObject> {
    const { oid, object, slots, layout } = pending
    const content = pending.values[layout.blobIndex] as BlobContent | undefined
    await this.#doubt(pending)
    if (content === undefined || content.oid === oid) return pending
    const name = { oid, contentId: content.id }
    this.#keeper.setInFlight(name, true)
    this.#placed.push(name)
    const draft = draftWith(content.id)
    if (draft !== undefined) await this.store.place(draft, name)
    else if (content.oid === undefined) throw discarded(object)
    else if (!(await this.store.copy({ oid: content.oid, contentId: content.id }, name))) {
      throw missing(object, { oid: content.oid, contentId: content.id })
    }
    const values = pending.values.slice()
    values[layout.blobIndex] = Object.freeze({ ...content, oid: slots.oid })
    return { ...pending, values }
  }

  /** What is committed now may be named by no record soon. */
  async #doubt({ oid, slots, layout, values }: PendingObject): Promise<void> {
    const before = slots.committed?.values[layout.blobIndex] as BlobContent | undefined
    const content = values[layout.blobIndex] as BlobContent | undefined
    if (before === undefined || before.id === content?.id || this.#keeper.keepsHistory) return
    const name = { oid, contentId: before.id }
    this.#doubted.push(name)
    await this.store.doubt(name)
  }

  #refuseUnfinished(pending: readonly PendingObject[]): void {
    const [write] = this.#writes
    const blob = write?.blob ?? pending.find(({ object }) => writtenBlobs.has(object))?.object
    if (blob === undefined) return
    throw new BlobUnfinishedError(
      `${describeObject(blob)} is still being written, so its transaction cannot be committed. Await ` +
        'blob.write before the function given to db.transaction returns.',
    )
  }
}

/** What a blob has now, without looking whether it is up to date. */
export function contentOf(blob: Persistent): BlobContent | undefined {
  const { values, layout } = slotsOf(blob)
  return values[blobIndexIn(layout.names)] as BlobContent | undefined
}

export function discarded(blob: Persistent): BlobDiscardedError {
  return new BlobDiscardedError(
    `The content of ${describeObject(blob)} went with the transaction in which it was written, and which was ` +
      'not committed. Write it again.',
  )
}

export function missing(blob: Persistent, { oid, contentId }: BlobName): BlobMissingError {
  const name = formatBlobName({ oid, contentId })
  return new BlobMissingError(
    `The content of ${describeObject(blob)} is not there: the database has no file ${name} in its blobs. ` +
      'Restore it from a backup.',
    { details: { file: name, oid: formatOid(oid) } },
  )
}

function idIn({ values, layout }: PendingObject): string | undefined {
  return (values[layout.blobIndex] as BlobContent | undefined)?.id
}
