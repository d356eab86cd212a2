import { type BlobName, formatBlobName } from './blob-name.js'
import { piecesOf } from './blob-reading.js'
import type { BlobDraft, BlobSource, BlobStore } from './blob-store.js'

/** The contents of blobs over those of a base, which are read only: new ones go to the changes. */
export class OverlayBlobs implements BlobStore {
  readonly #base: BlobStore
  readonly #changes: BlobStore
  /** In the base, and nobody's here. */
  readonly #removed = new Set<string>()

  constructor(base: BlobStore, changes: BlobStore) {
    this.#base = base
    this.#changes = changes
  }

  create(): Promise<BlobDraft> {
    return this.#changes.create()
  }

  take(path: string): Promise<BlobDraft> {
    return this.#changes.take(path)
  }

  place(draft: BlobDraft, name: BlobName): Promise<void> {
    return this.#changes.place(draft, name)
  }

  async copy(from: BlobName, to: BlobName): Promise<boolean> {
    if (await this.#changes.copy(from, to)) return true
    const source = this.open(from)
    if (source === undefined) return false
    const draft = await this.#changes.create()
    try {
      for await (const piece of piecesOf(source)) await draft.write(piece)
      await draft.finish()
      await this.#changes.place(draft, to)
      return true
    } finally {
      source.close()
      await draft.discard()
    }
  }

  async doubt(name: BlobName): Promise<void> {
    if (has(this.#changes, name)) await this.#changes.doubt(name)
  }

  async confirm(name: BlobName): Promise<void> {
    if (has(this.#changes, name)) await this.#changes.confirm(name)
  }

  async remove(name: BlobName): Promise<void> {
    if (has(this.#changes, name)) return this.#changes.remove(name)
    if (has(this.#base, name)) this.#removed.add(formatBlobName(name))
  }

  open(name: BlobName): BlobSource | undefined {
    const content = this.#changes.open(name)
    if (content !== undefined || this.#removed.has(formatBlobName(name))) return content
    return this.#base.open(name)
  }

  async *list(): AsyncGenerator<BlobName, void, undefined> {
    yield* this.#changes.list()
    for await (const name of this.#base.list()) {
      if (!this.#removed.has(formatBlobName(name)) && !has(this.#changes, name)) yield name
    }
  }

  uncertain(): Promise<readonly BlobName[]> {
    return this.#changes.uncertain()
  }

  hold(): () => Promise<void> {
    return this.#changes.hold()
  }
}

function has(store: BlobStore, name: BlobName): boolean {
  const content = store.open(name)
  content?.close()
  return content !== undefined
}
