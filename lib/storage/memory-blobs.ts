import { readFile, rm } from 'node:fs/promises'
import { invariant } from '../foundation/index.js'
import { type BlobName, formatBlobName, newContentId, parseBlobName } from './blob-name.js'
import { readWhole } from './blob-reading.js'
import type { BlobDraft, BlobSource, BlobStore } from './blob-store.js'
import { HeldRemovals } from './held-removals.js'

/** The contents of blobs in memory: they end with the process. */
export class MemoryBlobs implements BlobStore {
  readonly #contents = new Map<string, Uint8Array>()
  readonly #uncertain = new Set<string>()
  readonly #removals = new HeldRemovals(async (name) => {
    this.#contents.delete(name)
    this.#uncertain.delete(name)
  })

  async create(): Promise<BlobDraft> {
    return new MemoryDraft()
  }

  async take(path: string): Promise<BlobDraft> {
    const draft = new MemoryDraft()
    await draft.write(await readFile(path))
    await draft.finish()
    await rm(path)
    return draft
  }

  async place(draft: BlobDraft, name: BlobName): Promise<void> {
    const source = draft.open()
    invariant(source !== undefined, 'a draft is placed before it is discarded')
    this.#put(name, await readWhole(source))
  }

  async copy(from: BlobName, to: BlobName): Promise<boolean> {
    const content = this.#contents.get(formatBlobName(from))
    if (content === undefined) return false
    this.#put(to, content)
    return true
  }

  async doubt(name: BlobName): Promise<void> {
    this.#uncertain.add(formatBlobName(name))
  }

  async confirm(name: BlobName): Promise<void> {
    this.#uncertain.delete(formatBlobName(name))
  }

  remove(name: BlobName): Promise<void> {
    return this.#removals.add(formatBlobName(name))
  }

  open(name: BlobName): BlobSource | undefined {
    const content = this.#contents.get(formatBlobName(name))
    return content === undefined ? undefined : new MemorySource(content)
  }

  async *list(): AsyncGenerator<BlobName, void, undefined> {
    for (const name of [...this.#contents.keys()]) yield parseBlobName(name) as BlobName
  }

  async uncertain(): Promise<readonly BlobName[]> {
    return Array.from(this.#uncertain, (name) => parseBlobName(name) as BlobName)
  }

  hold(): () => Promise<void> {
    return this.#removals.hold()
  }

  #put(name: BlobName, content: Uint8Array): void {
    const text = formatBlobName(name)
    this.#contents.set(text, content)
    this.#uncertain.add(text)
  }
}

class MemoryDraft implements BlobDraft {
  readonly contentId = newContentId()
  #pieces: Uint8Array[] = []
  #content: Uint8Array | undefined

  async write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(Uint8Array.from(bytes))
  }

  async finish(): Promise<void> {
    this.#content = Buffer.concat(this.#pieces)
    this.#pieces = []
  }

  open(): BlobSource | undefined {
    return this.#content && new MemorySource(this.#content)
  }

  async discard(): Promise<void> {
    this.#pieces = []
    this.#content = undefined
  }
}

class MemorySource implements BlobSource {
  readonly #content: Uint8Array

  constructor(content: Uint8Array) {
    this.#content = content
  }

  get size(): number {
    return this.#content.length
  }

  async read(position: number, bytes: number): Promise<Uint8Array> {
    return this.#content.slice(position, position + bytes)
  }

  close(): void {}
}
