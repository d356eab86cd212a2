import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkLog } from './level-log.js'
import { checkManifest, type LiveTable, type Manifest } from './level-manifest.js'
import { checkTable, type KeyRange } from './level-table.js'

/** A part of LevelDB's files that is not what was once written, or not there. */
export interface FileDamage {
  /** Without its directory. */
  readonly file: string
  readonly offset?: number
  readonly bytes?: number
  /** A sentence without its full stop. */
  readonly what: string
  /** The rows that are lost, or cannot be trusted: all, when nobody can tell. */
  readonly keys: KeyRange
}

/** What was read. */
export interface DirectoryCheck {
  /** Which files belong to the database; `undefined` when its manifest cannot be read. */
  readonly manifest: Manifest | undefined
  readonly files: number
  readonly bytes: number
  readonly blocks: number
}

/** How a directory is read. */
export interface DirectoryCheckOptions {
  /** The database is open in this process: files may come, go and grow meanwhile. */
  readonly isInUse: boolean
  /** The process that had the directory open last did not close it: a log may end too early. */
  readonly wasInterrupted: boolean
  readonly onDamage: (damage: FileDamage) => void
  /** Told how many of how many files are done. */
  readonly onProgress: (done: number, total: number) => void
  readonly signal: AbortSignal | undefined
}

/** Compares every checksum in LevelDB's files. Changes nothing. */
export async function checkDirectory(
  directory: string,
  options: DirectoryCheckOptions,
): Promise<DirectoryCheck> {
  const walk = new DirectoryWalk(directory, options)
  await walk.run()
  return walk
}

const ALL_KEYS: KeyRange = {}
const EMPTY_MANIFEST: Manifest = { tables: new Map(), firstLog: 0, earlierLog: 0 }

class DirectoryWalk implements DirectoryCheck {
  readonly #directory: string
  readonly #options: DirectoryCheckOptions
  manifest: Manifest | undefined
  files = 0
  bytes = 0
  blocks = 0

  constructor(directory: string, options: DirectoryCheckOptions) {
    this.#directory = directory
    this.#options = options
  }

  async run(): Promise<void> {
    const manifest = await this.#readManifest()
    this.manifest = manifest
    const names = await readdir(this.#directory)
    const tables = manifest === undefined ? tablesAmong(names) : [...manifest.tables.values()]
    const logs = names.filter((name) => isLiveLog(name, manifest ?? EMPTY_MANIFEST))
    const total = tables.length + logs.length
    let done = 0
    for (const name of logs) {
      await this.#checkLog(name)
      this.#options.onProgress(++done, total)
    }
    for (const table of tables) {
      this.#options.signal?.throwIfAborted()
      await this.#checkTable(table, names)
      this.#options.onProgress(++done, total)
    }
  }

  /** `undefined` when it cannot be read: then every table counts. */
  async #readManifest({ isQuiet = false } = {}): Promise<Manifest | undefined> {
    const current = (await this.#read('CURRENT'))?.toString('latin1')
    const named = /^(MANIFEST-\d+)\n$/.exec(current ?? '')?.[1]
    const found = named === undefined ? undefined : await this.#read(named)
    if (named !== undefined && found !== undefined) {
      return this.#checkManifest(named, found, { isQuiet })
    }
    // An open database may have gone on to the next one.
    const isNews =
      this.#options.isInUse && (await this.#read('CURRENT'))?.toString('latin1') !== current
    if (isNews) return this.#readManifest({ isQuiet })
    if (!isQuiet) {
      const names = named === undefined ? 'names no manifest' : `names ${named}, which is missing`
      const what = current === undefined ? 'It is missing' : `It ${names}`
      this.#report({ file: 'CURRENT', offset: 0, what, keys: ALL_KEYS })
    }
    return this.#newestManifest({ isQuiet })
  }

  /** LevelDB removes those that do not count any more. */
  async #newestManifest(options: { readonly isQuiet: boolean }): Promise<Manifest | undefined> {
    const names = (await readdir(this.#directory)).filter((name) => /^MANIFEST-\d+$/.test(name))
    const newest = names.sort().pop()
    const bytes = newest === undefined ? undefined : await this.#read(newest)
    if (newest === undefined || bytes === undefined) return undefined
    return this.#checkManifest(newest, bytes, options)
  }

  #checkManifest(
    file: string,
    bytes: Buffer,
    { isQuiet }: { readonly isQuiet: boolean },
  ): Manifest | undefined {
    const { manifest, damage } = checkManifest(bytes, this.#options)
    for (const { offset, why } of isQuiet ? [] : damage) {
      this.#report({ file, offset, what: `It is damaged: ${why}`, keys: ALL_KEYS })
    }
    return damage.length > 0 ? undefined : manifest
  }

  async #checkLog(file: string): Promise<void> {
    const bytes = await this.#read(file)
    if (bytes === undefined) return // since it became a table
    const { damagedAt, cutAt } = checkLog(bytes)
    for (const offset of damagedAt) {
      const what = 'The log is damaged: a checksum does not match its bytes'
      this.#report({ file, offset, what, keys: ALL_KEYS })
    }
    if (cutAt !== undefined && !this.#options.isInUse && !this.#options.wasInterrupted) {
      const what = 'The log ends in the middle of an entry although the database was closed'
      this.#report({ file, offset: cutAt, what, keys: ALL_KEYS })
    }
  }

  async #checkTable({ number, keys, bytes }: LiveTable, names: readonly string[]): Promise<void> {
    const file = tableNames(number).find((name) => names.includes(name)) ?? tableNames(number)[0]
    const content = await this.#read(file)
    if (content === undefined) {
      if (this.#options.isInUse && !(await this.#isLive(number))) return // compacted since
      this.#report({ file, what: 'The table is missing', keys })
      return
    }
    if (bytes > 0 && content.length !== bytes) {
      const what = `The table has ${content.length} bytes and should have ${bytes}`
      this.#report({ file, offset: Math.min(content.length, bytes), what, keys })
    }
    const { blocks, damaged } = checkTable(content)
    this.blocks += blocks
    for (const { part, offset, bytes: size, why, keys: affected } of damaged) {
      const what = `The ${part} is damaged: ${why}`
      const within = affected.above === undefined ? { ...keys, ...affected } : affected
      this.#report({ file, offset, bytes: size, what, keys: within })
    }
  }

  async #isLive(table: number): Promise<boolean> {
    const manifest = await this.#readManifest({ isQuiet: true })
    return manifest?.tables.has(table) ?? true
  }

  #report(damage: FileDamage): void {
    this.#options.onDamage(damage)
  }

  /** `undefined` when it is not there. */
  async #read(name: string): Promise<Buffer | undefined> {
    try {
      const content = await readFile(join(this.#directory, name))
      this.files++
      this.bytes += content.length
      return content
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined
      throw error
    }
  }
}

/** The name of today, then the one of LevelDB before 1.14. */
export function tableNames(number: number): readonly [string, string] {
  const digits = String(number).padStart(6, '0')
  return [`${digits}.ldb`, `${digits}.sst`]
}

function tablesAmong(names: readonly string[]): LiveTable[] {
  return names
    .filter((name) => /^\d+\.(ldb|sst)$/.test(name))
    .map((name) => ({ number: Number.parseInt(name, 10), level: 0, bytes: 0, keys: ALL_KEYS }))
}

/** Whether what is in it may not be in tables. */
export function isLiveLog(name: string, { firstLog, earlierLog }: Manifest): boolean {
  if (!/^\d+\.log$/.test(name)) return false
  const number = Number.parseInt(name, 10)
  return number >= firstLog || number === earlierLog
}
