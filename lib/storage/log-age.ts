/** How often a write buffer fills until what was in it before is in a table, see {@link LogAge}. */
const FILLS = 4

/**
 * Tells when what was written has left LevelDB's logs for its tables, which are synced and not lost
 * with a log. LevelDB does not say; but it begins a new log when its write buffer is full, and only
 * once the table of the buffer before is done. Between two fills counted here it begins at least one:
 * it counts its own overhead too. Of four fills the first may have begun earlier and the last be
 * under way, two are whole: the second new log waited for the table of what was there before.
 *
 * @see LevelDB 1.20 `DBImpl::MakeRoomForWrite`.
 */
export class LogAge {
  readonly #writeBufferBytes: number
  #fills = 0
  #bytes = 0

  constructor(writeBufferBytes: number) {
    this.#writeBufferBytes = writeBufferBytes
  }

  /** What is acknowledged now leaves the logs after this. */
  get now(): number {
    return this.#fills
  }

  /** Counts a batch, before it is given to LevelDB. */
  add(bytes: number): void {
    if (this.#bytes > this.#writeBufferBytes) {
      this.#fills++
      this.#bytes = 0
    }
    this.#bytes += bytes
  }

  /** Whether what was acknowledged at `mark` is in tables. */
  hasLeft(mark: number): boolean {
    return this.#fills >= mark + FILLS
  }
}
