import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type BlobDraft, type BlobStore, piecesOf } from '../storage/index.js'
import { UnstorableValueError } from './errors.js'

/**
 * What a blob is written from: bytes; a stream or anything else that can be iterated over, whose texts
 * are encoded in UTF-8; or the path of a file.
 * @public
 */
export type BlobInput =
  | Uint8Array
  | ArrayBuffer
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>
  | string
  | URL

/** Where drafts are made. */
export type DraftMaker = Pick<BlobStore, 'create' | 'take'>

/** A content that was written. */
export interface WrittenDraft {
  readonly draft: BlobDraft
  readonly size: number
  readonly sha256: string
}

/**
 * Writes a draft, and waits until it is on the disk. Begins to read in the calling step: an error of a
 * stream has a listener from then on.
 * @throws PERSISTENCE_UNSTORABLE_VALUE, STORAGE_FULL, what the input throws, the signal's reason; then
 *   nothing is left.
 */
export async function draftOf(
  input: BlobInput,
  maker: DraftMaker,
  signal: AbortSignal,
): Promise<WrittenDraft> {
  const pieces = new Pieces(input, signal)
  try {
    const draft = await maker.create()
    return await kept(draft, async () => {
      const digest = new Digest()
      for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
        digest.add(piece)
        await draft.write(piece)
      }
      await draft.finish()
      return { draft, ...digest.end() }
    })
  } finally {
    pieces.close()
  }
}

/** Makes a draft of a file, which is gone from where it was. */
export async function draftOfFile(
  path: string,
  maker: DraftMaker,
  signal: AbortSignal,
): Promise<WrittenDraft> {
  const draft = await maker.take(path)
  return kept(draft, async () => {
    const source = draft.open()
    const digest = new Digest()
    try {
      for await (const piece of source === undefined ? [] : piecesOf(source)) {
        signal.throwIfAborted()
        digest.add(piece)
      }
    } finally {
      source?.close()
    }
    return { draft, ...digest.end() }
  })
}

/** Discards the draft when `write` fails. */
async function kept<T>(draft: BlobDraft, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    await draft.discard()
    throw error
  }
}

/** Size and checksum of bytes. */
export class Digest {
  readonly #hash = createHash('sha256')
  #size = 0

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.#size += bytes.length
  }

  end(): { readonly size: number; readonly sha256: string } {
    return { size: this.#size, sha256: this.#hash.digest('hex') }
  }
}

/** What an input gives, one after the other, until the signal is aborted. */
class Pieces {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>
  readonly #signal: AbortSignal
  readonly #aborted: Promise<never>
  #first: Promise<IteratorResult<unknown>> | undefined

  constructor(input: BlobInput, signal: AbortSignal) {
    this.#signal = signal
    this.#aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    this.#aborted.catch(() => undefined)
    this.#iterator = iteratorOf(input)
    this.#first = this.#ask()
    this.#first.catch(() => undefined)
  }

  async next(): Promise<Uint8Array | undefined> {
    this.#signal.throwIfAborted()
    const asked = this.#first ?? this.#ask()
    this.#first = undefined
    const { done, value } = await Promise.race([asked, this.#aborted])
    return done === true ? undefined : bytesOf(value)
  }

  /** Lets the input go. Does not wait: it may wait for what never comes. */
  close(): void {
    const closing = (async () => this.#iterator.return?.())()
    closing.catch(() => undefined)
  }

  async #ask(): Promise<IteratorResult<unknown>> {
    return this.#iterator.next()
  }
}

function iteratorOf(input: BlobInput): AsyncIterator<unknown> | Iterator<unknown> {
  if (typeof input === 'string' || input instanceof URL) {
    return createReadStream(input, { highWaterMark: 256 * 1024 })[Symbol.asyncIterator]()
  }
  if (input instanceof Uint8Array || isArrayBuffer(input)) return [input][Symbol.iterator]()
  const { [Symbol.asyncIterator]: many, [Symbol.iterator]: some } = (input ?? {}) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >
  const iterator = many?.call(input) ?? some?.call(input)
  if (iterator !== undefined) return iterator
  throw unusable(input)
}

function bytesOf(piece: unknown): Uint8Array {
  if (typeof piece === 'string') return Buffer.from(piece)
  if (piece instanceof Uint8Array) return piece
  if (isArrayBuffer(piece)) return new Uint8Array(piece)
  throw unusable(piece)
}

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === '[object ArrayBuffer]'
}

function unusable(value: unknown): UnstorableValueError {
  const what = value === null ? 'null' : typeof value
  return new UnstorableValueError(
    `A blob cannot be written from ${what}. Give bytes, a stream of bytes, or the path of a file.`,
  )
}
