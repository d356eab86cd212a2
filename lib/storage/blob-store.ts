import type { BlobName } from './blob-name.js'

/** A content that can be read, a part at a time. Must be closed. @public */
export interface BlobSource {
  readonly size: number
  /** At most so many bytes from there on; none at the end. The bytes are the caller's. */
  read(position: number, bytes: number): Promise<Uint8Array>
  /** Idempotent. */
  close(): void
}

/** A content that is being written, and is no blob's yet. @public */
export interface BlobDraft {
  readonly contentId: string
  /** Appends; one call at a time. */
  write(bytes: Uint8Array): Promise<void>
  /** Nothing is written any more; resolves when all of it is on the disk. */
  finish(): Promise<void>
  /** Once it is finished, also after it was placed. */
  open(): BlobSource | undefined
  /** Removes it, unless it was placed. Idempotent. */
  discard(): Promise<void>
}

/**
 * The contents of blobs, beside the records. The store knows no records:
 *
 * ```
 * create, take ─► place ─► (a commit that names it) ─► confirm ─► (a commit that names another) ─► remove
 * ```
 *
 * A content is on the disk, durable, before a record names it. Until it is confirmed, the store keeps in
 * mind, over a crash as well, that it is uncertain whether one does.
 * @public
 */
export interface BlobStore {
  create(): Promise<BlobDraft>
  /** Makes a draft of a file, which is gone from where it was. By renaming, or else by copying it. */
  take(path: string): Promise<BlobDraft>
  /** Makes a finished draft, of this store or another, the content of a blob. Durable. */
  place(draft: BlobDraft, name: BlobName): Promise<void>
  /** Makes one content that of another blob as well. Durable. @returns false when it is not there. */
  copy(from: BlobName, to: BlobName): Promise<boolean>
  /** A commit is about to be written after which no record may name it. */
  doubt(name: BlobName): Promise<void>
  /** A committed record names it. */
  confirm(name: BlobName): Promise<void>
  /**
   * Nobody needs it any more. It goes at once, or when nobody holds the store. Idempotent.
   */
  remove(name: BlobName): Promise<void>
  /** `undefined` when it is not there. Synchronous: what is open stays readable, though it is removed. */
  open(name: BlobName): BlobSource | undefined
  /** All that were placed, certain or not, in no order. */
  list(): AsyncIterable<BlobName>
  /** Those that were placed or doubted, and neither confirmed nor removed, before a crash included. */
  uncertain(): Promise<readonly BlobName[]>
  /** Nothing is removed until the function it returns was called: for copying. */
  hold(): () => Promise<void>
}
