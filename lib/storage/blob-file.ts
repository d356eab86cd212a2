import { closeSync, fstatSync, openSync, read } from 'node:fs'
import { copyFile, type FileHandle, open, rename, rm } from 'node:fs/promises'
import { newContentId } from './blob-name.js'
import type { BlobDraft, BlobSource } from './blob-store.js'
import { StorageFullError } from './errors.js'
import { hasCode, isDiskFull } from './level-error.js'

/** A draft in a file, which has the content id as its name. */
export class FileDraft implements BlobDraft {
  readonly contentId: string
  #path: string
  #file: FileHandle | undefined
  #isPlaced = false

  private constructor(contentId: string, path: string, file: FileHandle | undefined) {
    this.contentId = contentId
    this.#path = path
    this.#file = file
  }

  /** @param pathOf - where the draft of a content id is. */
  static async create(pathOf: (contentId: string) => string): Promise<FileDraft> {
    const contentId = newContentId()
    const path = pathOf(contentId)
    const file = await explained(path, () => open(path, 'wx'))
    return new FileDraft(contentId, path, file)
  }

  /** Takes a file over: from then on it is here and not there. */
  static async take(from: string, pathOf: (contentId: string) => string): Promise<FileDraft> {
    const contentId = newContentId()
    const path = pathOf(contentId)
    const draft = new FileDraft(contentId, path, undefined)
    try {
      await explained(path, () => moveFile(from, path))
      await syncFile(path)
    } catch (error) {
      await draft.discard()
      throw error
    }
    return draft
  }

  get path(): string {
    return this.#path
  }

  async write(bytes: Uint8Array): Promise<void> {
    const file = this.#file as FileHandle
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await explained(this.#path, () => file.write(bytes, at))
      at += bytesWritten
    }
  }

  async finish(): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    await explained(this.#path, () => file.sync())
    this.#file = undefined
    await file.close()
  }

  /** It is at another place now, and stays there. */
  movedTo(path: string): void {
    this.#path = path
    this.#isPlaced = true
  }

  open(): BlobSource | undefined {
    return openFile(this.#path)
  }

  async discard(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
    if (!this.#isPlaced) await rm(this.#path, { force: true })
  }
}

/** `undefined` when there is no such file. */
export function openFile(path: string): BlobSource | undefined {
  try {
    return new FileSource(openSync(path, 'r'))
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

class FileSource implements BlobSource {
  readonly size: number
  readonly #fd: number
  #reading = 0
  #isClosing = false
  #isClosed = false

  constructor(fd: number) {
    this.#fd = fd
    this.size = fstatSync(fd).size
  }

  async read(position: number, bytes: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(bytes)
    this.#reading++
    try {
      const length = await new Promise<number>((resolve, reject) => {
        read(this.#fd, buffer, 0, bytes, position, (error, count) =>
          error === null ? resolve(count) : reject(error),
        )
      })
      return buffer.subarray(0, length)
    } finally {
      this.#reading--
      if (this.#isClosing) this.close()
    }
  }

  /** A descriptor that is being read must not be given to another file. */
  close(): void {
    this.#isClosing = true
    if (this.#isClosed || this.#reading > 0) return
    this.#isClosed = true
    closeSync(this.#fd)
  }
}

/** Renames a file; copies it where that goes to another device. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw error
    await copyFile(from, to)
    await rm(from)
  }
}

/** Waits until a file, or the names in a directory, are on the disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await openForSync(path)
  try {
    await file?.sync()
  } finally {
    await file?.close()
  }
}

/** Windows opens no directories, and needs no such sync. */
async function openForSync(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (process.platform === 'win32') return undefined
    throw error
  }
}

/** Calls `fn`; says it in our words when the disk is full. */
export async function explained<T>(path: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn()
  } catch (cause) {
    if (!isDiskFull(cause)) throw cause
    throw new StorageFullError(
      `The disk is full that ${path} was being written to. Nothing of the content is kept. Make room, and ` +
        'write the blob again; the transaction can go on without it.',
      { cause, details: { file: path } },
    )
  }
}
