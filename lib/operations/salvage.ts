import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import type { TimeSlice } from '../persistence/index.js'
import { LevelBytes, UnreadableBytes } from './level-bytes.js'
import { isLiveLog, tableNames } from './level-directory.js'
import { checkLog } from './level-log.js'
import type { LiveTable, Manifest } from './level-manifest.js'
import { readTable } from './level-table.js'

/** Entries of one batch. */
const ENTRIES_AT_ONCE = 1000
/** Of a batch in a log, before its entries: sequence number and count. */
const BATCH_HEAD_BYTES = 12
const VALUE = 1

/**
 * Writes everything in LevelDB's files whose checksums are right into a new LevelDB. LevelDB must
 * not read damaged blocks itself: it looks at no checksum, and the process ends (an assertion of
 * LevelDB 1.20, `internal_key.size() >= 8`) where lengths in them make no sense.
 *
 * From the deepest level up, then the logs: what is newer is written over what is older. Where the
 * newest revision was damaged, an older one may come to light.
 */
export async function salvage(
  directory: string,
  manifest: Manifest,
  { target, slice }: { readonly target: string; readonly slice: TimeSlice },
): Promise<void> {
  const level = new Level<Buffer, Buffer>(target, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  await level.open()
  try {
    const copy = new SalvagedCopy(level, slice)
    for (const table of oldestFirst(manifest.tables.values())) {
      const file = await readAny(directory, tableNames(table.number))
      if (file !== undefined) await copy.addTable(file)
    }
    const names = await readdir(directory)
    for (const name of names.filter((one) => isLiveLog(one, manifest)).sort()) {
      const file = await readAny(directory, [name])
      if (file !== undefined) await copy.addLog(file)
    }
    await copy.flush()
  } finally {
    await level.close()
  }
}

function oldestFirst(tables: Iterable<LiveTable>): LiveTable[] {
  return [...tables].sort((one, other) => other.level - one.level || one.number - other.number)
}

async function readAny(directory: string, names: readonly string[]): Promise<Buffer | undefined> {
  for (const name of names) {
    const file = await readFile(join(directory, name)).catch(() => undefined)
    if (file !== undefined) return file
  }
  return undefined
}

class SalvagedCopy {
  readonly #level: Level<Buffer, Buffer>
  readonly #slice: TimeSlice
  #entries = 0
  #batch: ReturnType<Level<Buffer, Buffer>['batch']>

  constructor(level: Level<Buffer, Buffer>, slice: TimeSlice) {
    this.#level = level
    this.#slice = slice
    this.#batch = level.batch()
  }

  async addTable(file: Buffer): Promise<void> {
    let last: Buffer | undefined
    for (const { key, value, isDeletion } of readTable(file)) {
      if (last?.equals(key)) continue // an older one of the same key
      last = key
      await this.#add(key, isDeletion ? undefined : value)
    }
  }

  async addLog(file: Buffer): Promise<void> {
    for (const entry of checkLog(file).entries) {
      const source = new LevelBytes(entry, BATCH_HEAD_BYTES)
      try {
        while (!source.isAtEnd) {
          const isValue = source.byte() === VALUE
          await this.#add(source.prefixed(), isValue ? source.prefixed() : undefined)
        }
      } catch (error) {
        if (!(error instanceof UnreadableBytes)) throw error
      }
    }
  }

  async flush(): Promise<void> {
    await this.#batch.write()
    this.#batch = this.#level.batch()
    this.#entries = 0
  }

  async #add(key: Buffer, value: Buffer | undefined): Promise<void> {
    if (value === undefined) this.#batch.del(key)
    else this.#batch.put(key, value)
    if (++this.#entries >= ENTRIES_AT_ONCE) await this.flush()
    if (this.#slice.isOver) await this.#slice.turn()
  }
}
