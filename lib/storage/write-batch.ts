import type { AbstractBatchOptions, AbstractChainedBatch } from 'abstract-level'
import type { LevelDatabase } from './level-database.js'
import type { LogAge } from './log-age.js'

/** A chained batch that knows its size: an array of operations takes three times as long to write. */
export class WriteBatch {
  readonly #batch: AbstractChainedBatch<LevelDatabase, Buffer, Buffer>
  readonly #age: LogAge
  #bytes = 0

  constructor(database: LevelDatabase, age: LogAge) {
    this.#batch = database.batch()
    this.#age = age
  }

  get bytes(): number {
    return this.#bytes
  }

  put(key: Buffer, value: Buffer): void {
    this.#batch.put(key, value)
    this.#bytes += key.length + value.length
  }

  del(key: Buffer): void {
    this.#batch.del(key)
    this.#bytes += key.length
  }

  async write({ sync }: { readonly sync: boolean }): Promise<void> {
    this.#age.add(this.#bytes)
    // `sync` is classic-level's; others have no disk.
    await this.#batch.write({ sync } as AbstractBatchOptions<Buffer, Buffer>)
  }
}
