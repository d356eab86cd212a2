import { createHash } from 'node:crypto'
import { type BlobContent, blobContentOf } from '../persistence/index.js'
import {
  type BlobSource,
  type BlobStore,
  type ClassRow,
  formatBlobName,
  type Oid,
  piecesOf,
  type Storage,
  type StorageRecord,
} from '../storage/index.js'
import type { Problem } from './problem.js'

/** What is looked at, and who is told. */
export interface BlobCheckTask {
  readonly storage: Storage
  /** Where the contents are, if not beside the records. */
  readonly store?: BlobStore | undefined
  readonly signal: AbortSignal | undefined
  readonly onProblem: (problem: Problem) => void
}

/** Whether the contents that records name are there, and are what was once written. */
export class BlobCheck {
  readonly #task: BlobCheckTask
  /** Name → what the newest record that names it says. */
  readonly #contents = new Map<string, { readonly oid: Oid; readonly content: BlobContent }>()
  #bytes = 0

  constructor(task: BlobCheckTask) {
    this.#task = task
  }

  get blobs(): number {
    return this.#contents.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Notes what the newest record of an object names, and the revisions before it that are kept.
   * @throws STORAGE_CORRUPT_RECORD
   */
  note(record: StorageRecord, row: ClassRow): void {
    const content = blobContentOf(record, row)
    if (content === undefined) return
    this.#add(record.oid, content)
    const { storage } = this.#task
    if (storage.historyFrom === undefined) return
    for (const { tid, removed } of storage.revisions(record.oid)) {
      const revision = removed ? undefined : storage.loadRevision(record.oid, tid)
      const itsRow = revision && storage.classes[revision.classId - 1]
      const earlier = itsRow && blobContentOf(revision as StorageRecord, itsRow)
      if (earlier !== undefined) this.#add(record.oid, earlier)
    }
  }

  /** Reads every byte of all that was noted. */
  async run(): Promise<void> {
    const { storage, store = storage.blobs, onProblem, signal } = this.#task
    for (const [file, { oid, content }] of this.#contents) {
      signal?.throwIfAborted()
      const source = store.open({ oid, contentId: content.id })
      if (source === undefined) {
        onProblem({
          kind: 'missingBlob',
          oid,
          file,
          message: `The file ${file} of its content is not there`,
        })
        continue
      }
      const what = await this.#problemOf(source, content)
      if (what !== undefined) {
        onProblem({
          kind: 'damagedBlob',
          oid,
          file,
          message: `The file ${file} of its content ${what}`,
        })
      }
    }
  }

  #add(oid: Oid, content: BlobContent): void {
    const name = formatBlobName({ oid, contentId: content.id })
    if (!this.#contents.has(name)) this.#contents.set(name, { oid, content })
  }

  async #problemOf(source: BlobSource, content: BlobContent): Promise<string | undefined> {
    const hash = createHash('sha256')
    try {
      if (source.size !== content.size) {
        return `has ${source.size} bytes instead of ${content.size}`
      }
      for await (const piece of piecesOf(source)) {
        this.#task.signal?.throwIfAborted()
        hash.update(piece)
        this.#bytes += piece.length
      }
    } catch (error) {
      this.#task.signal?.throwIfAborted()
      return `cannot be read: ${(error as Error).message}`
    } finally {
      source.close()
    }
    return hash.digest('hex') === content.sha256 ? undefined : 'is not what was once written'
  }
}
