import { Readable } from 'node:stream'
import { type BlobSource, looseDrafts, piecesOf } from '../storage/index.js'
import { currentTransaction } from '../transaction/index.js'
import type { BlobContent } from './blob-content.js'
import { bindDraft, draftWith, rememberDraft } from './blob-drafts.js'
import {
  type BlobInput,
  Digest,
  type DraftMaker,
  draftOf,
  draftOfFile,
  type WrittenDraft,
} from './blob-input.js'
import { contentOf, discarded, missing, writtenBlobs } from './blob-staging.js'
import { BLOB_FIELD_NAME, blobIndexIn } from './class-layout.js'
import { Connection, connectionOf } from './connection.js'
import { describeObject } from './describe.js'
import {
  BlobDamagedError,
  BlobUnfinishedError,
  InvalidRangeError,
  OutsideTransactionError,
  StaleObjectError,
} from './errors.js'
import { definePersistent } from './field.js'
import { Persistent, slotsOf, workingValues } from './persistent.js'

/** Which part of a blob. @public */
export interface BlobRange {
  /** The first byte. @defaultValue 0 */
  readonly start?: number | undefined
  /** The last byte, included, as in Node's `createReadStream`. @defaultValue the last there is */
  readonly end?: number | undefined
}

/**
 * A content of any size, kept in a file beside the records and streamed in and out. It belongs to the
 * transaction as fields do: nobody else sees it before the commit, an abort and a savepoint's rollback
 * bring back the one before, two transactions that write it conflict, and who reads the database as it
 * was reads the content of then. Without content it is empty.
 *
 * ```ts
 * await db.transaction(async ({ root }) => {
 *   await root.set('photo', new Picture()).image.write(request)
 * })
 * ```
 *
 * A content is on the disk, durable, before the commit is that names it. It is compared with its size and
 * its SHA-256 when it is read to the end.
 *
 * Source: `ZODB.blob.Blob`.
 * @public
 */
export class Blob extends Persistent {
  /** In bytes. */
  get size(): number {
    return currentContent(this)?.size ?? 0
  }

  /** Of the content, in hex; `undefined` while it is empty. */
  get sha256(): string | undefined {
    return currentContent(this)?.sha256
  }

  /**
   * Gives it a new content, which it has once the promise resolves; until then it keeps the one before.
   * When it fails, nothing is left of the new one, and the transaction can go on.
   *
   * Of a blob that was never added, outside of a transaction, the content waits in the system's directory for
   * temporary files.
   * @throws PERSISTENCE_BLOB_UNFINISHED when it is being written; PERSISTENCE_UNSTORABLE_VALUE; STORAGE_FULL;
   *   PERSISTENCE_OUTSIDE_TRANSACTION, also when the transaction ends before it; what the input throws.
   */
  write(input: BlobInput): Promise<void> {
    return writeBlob(this, (maker, signal) => draftOf(input, maker, signal))
  }

  /**
   * Makes a file its content: as `write`, without copying where both are on one device. From the call on
   * the file is the database's, and gone with an abort.
   */
  consumeFile(path: string): Promise<void> {
    return writeBlob(this, (maker, signal) => draftOfFile(path, maker, signal))
  }

  /**
   * The content as a stream. It is opened at once: what the transaction sees is streamed, however long that
   * takes. End it, or destroy it: it holds a file open.
   * @throws PERSISTENCE_BLOB_MISSING; PERSISTENCE_BLOB_DISCARDED; PERSISTENCE_INVALID_RANGE. The stream ends
   *   with PERSISTENCE_BLOB_DAMAGED when the content is not what was written.
   */
  createReadStream(range: BlobRange = {}): Readable {
    const content = currentContent(this)
    const { start, end } = checkedRange(range, content?.size ?? 0)
    if (content === undefined) return Readable.from([])
    const source = openContent(this, content)
    const pieces = checkedPieces(this, { content, source, start, end })
    const stream = Readable.from(pieces, { objectMode: false })
    // Where nothing was read, the generator never ran.
    stream.once('close', () => source.close())
    return stream
  }

  /** The whole content. @throws as `createReadStream`, PERSISTENCE_BLOB_DAMAGED. */
  async bytes(): Promise<Buffer> {
    const content = currentContent(this)
    if (content === undefined) return Buffer.alloc(0)
    const source = openContent(this, content)
    const pieces: Uint8Array[] = []
    const whole = { content, source, start: 0, end: content.size }
    for await (const piece of checkedPieces(this, whole)) pieces.push(piece)
    return Buffer.concat(pieces)
  }
}

definePersistent(Blob, { name: 'treehook.Blob', fields: [BLOB_FIELD_NAME] })

/** The content as the transaction sees it. */
function currentContent(blob: Blob): BlobContent | undefined {
  const slots = slotsOf(blob)
  if (slots.generation !== slots.owner.generation) slots.owner.activate(blob)
  return contentOf(blob)
}

async function writeBlob(
  blob: Blob,
  write: (maker: DraftMaker, signal: AbortSignal) => Promise<WrittenDraft>,
): Promise<void> {
  refuseSecond(blob)
  slotsOf(blob).owner.assertWritable(blob)
  const connection = connectionFor(blob)
  const staging = connection?.isWriting ? connection.stageBlobs() : undefined
  const running = staging?.begin(blob)
  const { signal } = running?.stop ?? new AbortController()
  writtenBlobs.add(blob)
  try {
    const written = await write(staging?.store ?? looseDrafts, signal)
    try {
      if (signal.aborted) throw signal.reason
      const content = giveContent(blob, written)
      rememberDraft(written.draft)
      if (staging === undefined) bindDraft(content)
      else staging.stage(blob, content.id)
    } catch (error) {
      await written.draft.discard()
      throw error
    }
  } catch (error) {
    throw signal.aborted ? endedBefore(blob, error) : error
  } finally {
    writtenBlobs.delete(blob)
    if (running !== undefined) staging?.end(running)
  }
}

function giveContent(blob: Blob, { draft, size, sha256 }: WrittenDraft): BlobContent {
  const slots = slotsOf(blob)
  const values = workingValues(blob, slots)
  const content: BlobContent = Object.freeze({ id: draft.contentId, size, sha256 })
  const index = blobIndexIn(slots.layout.names)
  slots.nested?.forget(index)
  values[index] = content
  return content
}

/** The connection whose transaction a write is part of, or that knows where contents are. */
function connectionFor(blob: Blob): Connection | undefined {
  const own = connectionOf(blob)
  if (own !== undefined) return own
  const transaction = currentTransaction()
  return transaction?.synchronizers.find(
    (one): one is Connection => one instanceof Connection && one.transaction === transaction,
  )
}

function openContent(blob: Blob, content: BlobContent): BlobSource {
  const source = draftWith(content.id)?.open() ?? openStored(blob, content)
  if (source.size === content.size) return source
  source.close()
  throw damaged(blob, `has ${source.size} bytes instead of ${content.size}`)
}

function openStored(blob: Blob, { id, oid }: BlobContent): BlobSource {
  if (oid === undefined) throw discarded(blob)
  const connection = connectionFor(blob)
  if (connection === undefined) {
    throw new OutsideTransactionError(
      `${describeObject(blob)} is a copy that belongs to no database yet, so its content can be read in a ` +
        'transaction only.',
    )
  }
  const name = { oid, contentId: id }
  const source = connection.database.storage.blobs.open(name)
  if (source !== undefined) return source
  if (connection.transaction !== undefined) throw missing(blob, name)
  throw new StaleObjectError(
    `The content of ${describeObject(blob)} is no longer there, and the transaction is over in which it was ` +
      'reached. Open the stream inside db.transaction or db.view.',
  )
}

/** @throws PERSISTENCE_BLOB_DAMAGED at the end, when all of it was read and is not what was written. */
async function* checkedPieces(
  blob: Blob,
  {
    content,
    source,
    start,
    end,
  }: {
    readonly content: BlobContent
    readonly source: BlobSource
    readonly start: number
    readonly end: number
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  const isWhole = start === 0 && end === content.size
  const digest = new Digest()
  let read = 0
  try {
    for await (const piece of piecesOf(source, { start, end })) {
      read += piece.length
      if (isWhole) digest.add(piece)
      yield piece
    }
    if (read < end - start) throw damaged(blob, `ends after ${start + read} bytes`)
    if (isWhole && digest.end().sha256 !== content.sha256) {
      throw damaged(blob, 'has another checksum')
    }
  } finally {
    source.close()
  }
}

/** The last byte excluded. */
function checkedRange(
  { start = 0, end = Number.POSITIVE_INFINITY }: BlobRange,
  size: number,
): { readonly start: number; readonly end: number } {
  const isEnd = Number.isSafeInteger(end) || end === Number.POSITIVE_INFINITY
  if (!Number.isSafeInteger(start) || start < 0 || !isEnd || end < start) {
    throw new InvalidRangeError(
      `A blob cannot be read from byte ${start} to byte ${end}: give whole numbers of 0 or more, the end not ` +
        'below the start',
    )
  }
  return { start: Math.min(start, size), end: Math.min(end + 1, size) }
}

function refuseSecond(blob: Blob): void {
  if (!writtenBlobs.has(blob)) return
  throw new BlobUnfinishedError(
    `${describeObject(blob)} is being written already. Await that before you write it again.`,
  )
}

function endedBefore(blob: Blob, cause: unknown): OutsideTransactionError {
  return new OutsideTransactionError(
    `The transaction ended in which ${describeObject(blob)} was being written. Await blob.write before the ` +
      'function given to db.transaction returns.',
    { cause },
  )
}

function damaged(blob: Blob, why: string): BlobDamagedError {
  return new BlobDamagedError(
    `The content of ${describeObject(blob)} is not what was once written: its file ${why}. Restore it from a backup.`,
  )
}
