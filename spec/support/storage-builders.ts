import { copyFileSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../../lib/foundation/index.js'
import {
  type ClassRow,
  type CommitMetadata,
  type StorageCommit,
  toOid,
  toTid,
} from '../../lib/storage/index.js'

export const EMPLOYEE: ClassRow = { classId: 1, name: 'employees.Employee', fields: ['name'] }

export const METADATA: CommitMetadata = {
  timeMs: 1_700_000_000_000,
  user: 'anna',
  description: 'hires',
  extension: {},
}

/** A commit that writes `state` to each oid. The first one brings the class. */
export function aCommit(
  tid: number,
  oids: readonly number[],
  {
    state = `state of ${tid}`,
    metadata = METADATA,
  }: { state?: string; metadata?: CommitMetadata } = {},
): StorageCommit {
  return {
    tid: toTid(tid),
    metadata,
    records: oids.map((oid) => ({ oid: toOid(oid), classId: 1, state: Buffer.from(state) })),
    classes: tid === 1 ? [EMPLOYEE] : [],
  }
}

/** The code of what `fn` throws, now or later; `'nothing'` when it does not. */
export async function codeThrownBy(fn: () => unknown): Promise<string | undefined> {
  try {
    await fn()
    return 'nothing'
  } catch (error) {
    return codeOf(error) ?? String(error)
  }
}

/** What `fn` throws, now or later. */
export async function errorOf(fn: () => unknown): Promise<Error> {
  try {
    await fn()
  } catch (error) {
    return error as Error
  }
  throw new Error('It threw nothing')
}

/**
 * Copies the files of LevelDB in use, as a process that is killed now leaves them. LevelDB goes on
 * meanwhile in threads of its own: what its manifest names is copied after the manifest, and again
 * when a file went.
 */
export function copyAsKilled(from: string, to: string): void {
  for (;;) {
    const before = readdirSync(from)
    const isFirst = (name: string): boolean => /^(CURRENT|MANIFEST-\d+)$/.test(name)
    try {
      for (const name of before.filter(isFirst)) copyFileSync(join(from, name), join(to, name))
      for (const name of readdirSync(from)) {
        // LevelDB's lock goes with its reading, and the owner lives.
        if (isFirst(name) || name === 'LOCK' || name === 'treehook-owner.json') continue
        copyFileSync(join(from, name), join(to, name))
      }
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') continue
      throw error
    }
    const after = readdirSync(from)
    if (before.every((name) => after.includes(name))) return
  }
}

/** Directories of one spec file; remove them with `removeAll` after each test. */
export class TemporaryDirectories {
  readonly #paths: string[] = []

  /** A new, empty directory. */
  async create(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'treehook-storage-'))
    this.#paths.push(path)
    return path
  }

  async removeAll(): Promise<void> {
    for (const path of this.#paths.splice(0)) await rm(path, { recursive: true, force: true })
  }
}
