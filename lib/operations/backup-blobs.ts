/**
 * The contents of blobs in backups. Each is a file of its own in the folder `contents` of the backup that
 * copied it first, under its name. The file `blobs` of every backup lists all contents that there were, as
 * MessagePack arrays in no order:
 *
 * | entry                                        |
 * | -------------------------------------------- |
 * | `[name, number of the backup that has it, bytes, SHA-256 in hex]` |
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BlobName,
  type BlobStore,
  formatBlobName,
  parseBlobName,
  piecesOf,
} from '../storage/index.js'
import type { ChainLink } from './backup-chain.js'
import { type BackupFile, BackupFileWriter, readBackupFile } from './backup-file.js'
import { syncPath } from './durable-files.js'
import { DamagedBackupError } from './errors.js'

/** On disk: lists the contents. */
export const BLOBS_FILE = 'blobs'
/** On disk: has the contents. */
export const CONTENTS_FOLDER = 'contents'

/** A content, and where it is. */
export interface StoredContent {
  readonly name: string
  /** Of the backup that has it. */
  readonly backup: number
  readonly bytes: number
  readonly sha256: string
}

/** What is told of each piece that was copied. */
type OnBytes = (bytes: number) => void

/**
 * Copies the contents that no earlier backup has, and lists all.
 * @param earlier - those that the backup before lists.
 * @returns `undefined` when there is none.
 */
export async function backUpBlobs(
  store: BlobStore,
  {
    path,
    number,
    earlier,
    onBytes,
    onContent,
  }: {
    readonly path: string
    readonly number: number
    readonly earlier: ReadonlyMap<string, StoredContent>
    readonly onBytes: OnBytes
    /** Told of each content that was copied. */
    readonly onContent: () => void
  },
): Promise<BackupFile | undefined> {
  const list = new ContentList(join(path, BLOBS_FILE))
  const folder = join(path, CONTENTS_FOLDER)
  let hasFolder = false
  try {
    for await (const blob of store.list()) {
      const known = earlier.get(formatBlobName(blob))
      if (known === undefined && !hasFolder) {
        await mkdir(folder)
        hasFolder = true
      }
      const content = known ?? (await copyOut(store, blob, folder, number, onBytes))
      if (content === undefined) continue
      await list.add(content)
      if (known === undefined) onContent()
    }
    if (hasFolder) await syncPath(folder)
    return await list.finish()
  } finally {
    await list.close()
  }
}

/** Those that a backup lists. @throws OPERATIONS_DAMAGED_BACKUP */
export async function* contentsIn({
  path,
  manifest,
}: ChainLink): AsyncGenerator<StoredContent, void, undefined> {
  const file = manifest.files.find(({ name }) => name === BLOBS_FILE)
  if (file === undefined) return
  for await (const entries of readBackupFile(join(path, BLOBS_FILE), file)) {
    yield* entries.map(decodeContent)
  }
}

/** Reads the file of a content, all of it. @throws OPERATIONS_DAMAGED_BACKUP at its end */
export async function* readContent(
  path: string,
  { name, bytes, sha256 }: StoredContent,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = join(path, CONTENTS_FOLDER, name)
  const size = await stat(file).then(
    (found) => found.size,
    () => undefined,
  )
  if (size !== bytes) {
    const why = size === undefined ? 'it is not there' : `it has ${size} bytes instead of ${bytes}`
    throw DamagedBackupError.of({ file, why })
  }
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(piece)
    yield piece
  }
  if (hash.digest('hex') !== sha256) {
    throw DamagedBackupError.of({ file, why: 'its checksum does not match its content' })
  }
}

/** Gives a store what others had under this name, unless it has it. */
export async function putContent(
  store: BlobStore,
  name: BlobName,
  pieces: AsyncIterable<Uint8Array>,
  onBytes: OnBytes,
): Promise<boolean> {
  const known = store.open(name)
  known?.close()
  if (known !== undefined) return false
  const draft = await store.create()
  try {
    for await (const piece of pieces) {
      await draft.write(piece)
      onBytes(piece.length)
    }
    await draft.finish()
    await store.place(draft, name)
    return true
  } catch (error) {
    await draft.discard()
    throw error
  }
}

/** The name of a content that a backup lists. @throws OPERATIONS_DAMAGED_BACKUP */
export function blobNameOf({ name, backup }: StoredContent): BlobName {
  const blob = parseBlobName(name)
  if (blob !== undefined) return blob
  throw DamagedBackupError.of({ file: name, why: `backup ${backup} lists it, and it is no blob's` })
}

async function copyOut(
  store: BlobStore,
  blob: BlobName,
  folder: string,
  backup: number,
  onBytes: OnBytes,
): Promise<StoredContent | undefined> {
  const source = store.open(blob)
  if (source === undefined) return undefined
  const name = formatBlobName(blob)
  const hash = createHash('sha256')
  const file = await open(join(folder, name), 'wx')
  try {
    for await (const piece of piecesOf(source)) {
      hash.update(piece)
      await file.writeFile(piece)
      onBytes(piece.length)
    }
    await file.sync()
  } finally {
    source.close()
    await file.close()
  }
  return { name, backup, bytes: source.size, sha256: hash.digest('hex') }
}

/** The file is made for the first content. */
class ContentList {
  readonly #path: string
  #file: BackupFileWriter | undefined

  constructor(path: string) {
    this.#path = path
  }

  async add(content: StoredContent): Promise<void> {
    this.#file ??= await BackupFileWriter.create(this.#path)
    this.#file.add(encodeContent(content))
    if (this.#file.isFull) await this.#file.flush()
  }

  async finish(): Promise<BackupFile | undefined> {
    return this.#file?.finish()
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}

function encodeContent({ name, backup, bytes, sha256 }: StoredContent): unknown {
  return [name, backup, bytes, sha256]
}

function decodeContent(entry: unknown): StoredContent {
  const [name, backup, bytes, sha256] = entry as [string, number, number, string]
  return { name, backup, bytes, sha256 }
}
