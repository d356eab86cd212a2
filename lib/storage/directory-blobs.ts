/**
 * The contents of blobs in a directory of their own, `blobs` in the database's:
 *
 * | name                             | what it is                                                     |
 * | -------------------------------- | -------------------------------------------------------------- |
 * | `blobs/drafts/<content id>`      | a content that is being written; removed at each opening       |
 * | `blobs/uncertain/<blob name>`    | empty: no record may name the content of this name             |
 * | `blobs/<2 digits>/<blob name>`   | a content; the digits are the last two of the oid              |
 *
 * A blob name is `<oid, 16 hex digits>-<content id, 32 hex digits>`. A content is written in `drafts` and
 * synced, then marked uncertain, renamed, and its directory synced: only then is the commit written that
 * names it. A marker that a power loss takes costs a file that the next pack finds.
 */
import { copyFile, link, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { invariant } from '../foundation/index.js'
import { explained, FileDraft, openFile, syncFile } from './blob-file.js'
import { type BlobName, formatBlobName, newContentId, parseBlobName } from './blob-name.js'
import { piecesOf } from './blob-reading.js'
import type { BlobDraft, BlobSource, BlobStore } from './blob-store.js'
import { HeldRemovals } from './held-removals.js'
import { hasCode } from './level-error.js'

/** On disk. */
export const BLOBS_DIRECTORY = 'blobs'
/** On disk. */
export const DRAFTS_DIRECTORY = 'drafts'
/** On disk. */
export const UNCERTAIN_DIRECTORY = 'uncertain'

/** The contents of blobs as files. The directory is made when the first is written. */
export class DirectoryBlobs implements BlobStore {
  readonly #directory: string
  readonly #drafts: string
  readonly #markers: string
  readonly #made = new Set<string>()
  readonly #removals = new HeldRemovals(async (name) => {
    await rm(this.#pathOf(name), { force: true })
    await rm(join(this.#markers, name), { force: true })
  })

  /** @param directory - the database's. */
  constructor(directory: string) {
    this.#directory = join(directory, BLOBS_DIRECTORY)
    this.#drafts = join(this.#directory, DRAFTS_DIRECTORY)
    this.#markers = join(this.#directory, UNCERTAIN_DIRECTORY)
  }

  /** Removes what was being written when the process ended that had the directory. */
  async clean(): Promise<void> {
    for (const name of await namesIn(this.#drafts)) {
      await rm(join(this.#drafts, name), { recursive: true, force: true })
    }
  }

  async create(): Promise<BlobDraft> {
    await this.#make(this.#drafts)
    return FileDraft.create(this.#draftPath)
  }

  async take(path: string): Promise<BlobDraft> {
    await this.#make(this.#drafts)
    return FileDraft.take(path, this.#draftPath)
  }

  async place(draft: BlobDraft, name: BlobName): Promise<void> {
    const isOwn = draft instanceof FileDraft && dirname(draft.path) === this.#drafts
    const own = isOwn ? draft : await this.#copyOf(draft)
    await this.#put(name, async (path) => {
      await rename(own.path, path)
      own.movedTo(path)
    })
  }

  async copy(from: BlobName, to: BlobName): Promise<boolean> {
    const source = this.#pathOf(formatBlobName(from))
    try {
      await this.#put(to, (path) => linkOrCopy(source, path))
      return true
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      await this.remove(to)
      return false
    }
  }

  async doubt(name: BlobName): Promise<void> {
    await this.#make(this.#markers)
    await this.#mark(formatBlobName(name))
  }

  async confirm(name: BlobName): Promise<void> {
    await rm(join(this.#markers, formatBlobName(name)), { force: true })
  }

  remove(name: BlobName): Promise<void> {
    return this.#removals.add(formatBlobName(name))
  }

  open(name: BlobName): BlobSource | undefined {
    return openFile(this.#pathOf(formatBlobName(name)))
  }

  async *list(): AsyncGenerator<BlobName, void, undefined> {
    for (const shard of await namesIn(this.#directory)) {
      if (!/^[0-9a-f]{2}$/.test(shard)) continue
      yield* blobNames(await namesIn(join(this.#directory, shard)))
    }
  }

  async uncertain(): Promise<readonly BlobName[]> {
    return blobNames(await namesIn(this.#markers))
  }

  hold(): () => Promise<void> {
    return this.#removals.hold()
  }

  /** A draft of ours with the content of one that is kept elsewhere. */
  async #copyOf(draft: BlobDraft): Promise<FileDraft> {
    await this.#make(this.#drafts)
    const source = draft.open()
    invariant(source !== undefined, 'a draft is placed before it is discarded')
    const own = await FileDraft.create(this.#draftPath)
    try {
      for await (const piece of piecesOf(source)) await own.write(piece)
      await own.finish()
      return own
    } catch (error) {
      await own.discard()
      throw error
    } finally {
      source.close()
    }
  }

  async #put(name: BlobName, put: (path: string) => Promise<void>): Promise<void> {
    const text = formatBlobName(name)
    const path = this.#pathOf(text)
    await this.#make(this.#markers)
    await this.#make(dirname(path))
    await explained(path, async () => {
      await this.#mark(text)
      await put(path)
      await syncFile(dirname(path))
    })
  }

  async #mark(name: string): Promise<void> {
    const path = join(this.#markers, name)
    await explained(path, () => writeFile(path, ''))
  }

  /** Makes a directory of ours, durably, and the one above it. */
  async #make(directory: string): Promise<void> {
    if (this.#made.has(directory)) return
    if (directory !== this.#directory) await this.#make(this.#directory)
    await mkdir(directory).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error
    })
    await syncFile(dirname(directory))
    this.#made.add(directory)
  }

  readonly #draftPath = (contentId: string): string => join(this.#drafts, contentId)

  #pathOf(name: string): string {
    return join(this.#directory, name.slice(14, 16), name)
  }
}

/** Where two names cannot be one file, it is copied; whole under its name, or not there. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (!hasCode(error, 'EXDEV', 'EPERM', 'ENOSYS', 'ENOTSUP', 'EMLINK', 'EACCES')) throw error
    const draft = join(dirname(dirname(to)), DRAFTS_DIRECTORY, `${newContentId()}-${basename(to)}`)
    await mkdir(dirname(draft), { recursive: true })
    await copyFile(from, draft)
    await syncFile(draft)
    await rename(draft, to)
  }
}

function blobNames(names: readonly string[]): BlobName[] {
  return names.flatMap((name) => parseBlobName(name) ?? [])
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}
