import { checkOptions } from '../foundation/index.js'
import { AlreadyPackingError, InvalidDatabaseOptionError } from './errors.js'
import {
  Pack,
  type PackOptions,
  type PackParts,
  type PackProgress,
  type PackReport,
  packOptionRules,
} from './pack.js'
import { RecentCommits } from './recent-commits.js'

/** The packs of one database: one at a time, until the database closes. */
export class Packing {
  readonly #parts: PackParts
  readonly #stop = new AbortController()
  #pack: Pack | undefined
  #ended: Promise<unknown> = Promise.resolve()

  constructor(parts: Omit<PackParts, 'recent'>) {
    const recent = new RecentCommits(parts.storage.lastTid)
    parts.writer.watch(({ tid, metadata }) => recent.note({ tid, timeMs: metadata.timeMs }))
    this.#parts = { ...parts, recent }
  }

  /** How far the pack has come that is under way. */
  get progress(): PackProgress | undefined {
    return this.#pack?.progress
  }

  /** @throws PERSISTENCE_INVALID_OPTION, PERSISTENCE_ALREADY_PACKING, and what a pack throws. */
  async start(options: PackOptions): Promise<PackReport> {
    checkOptions(options, packOptionRules, InvalidDatabaseOptionError)
    if (this.#pack !== undefined) {
      const { phase, done, total } = this.#pack.progress
      throw new AlreadyPackingError(
        `The database in ${this.#parts.storage.location} is being packed already (${phase}, ${done} of ${total}). ` +
          'Wait until that is done, or end it through its signal.',
        { details: { phase, done, total } },
      )
    }
    this.#pack = new Pack(this.#parts, options, this.#stop.signal)
    const running = this.#pack.run()
    this.#ended = running.catch(() => undefined)
    try {
      return await running
    } finally {
      this.#pack = undefined
    }
  }

  /** Ends the pack under way with `reason`, and takes no more. */
  async stop(reason: unknown): Promise<void> {
    this.#stop.abort(reason)
    await this.#ended
  }
}
