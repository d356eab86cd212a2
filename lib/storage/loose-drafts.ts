import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileDraft } from './blob-file.js'
import type { BlobDraft } from './blob-store.js'

/**
 * Drafts of blobs that no database knows yet, in the system's directory for temporary files. What is not
 * discarded goes when the process ends.
 */
export const looseDrafts = {
  async create(): Promise<BlobDraft> {
    return FileDraft.create(await pathsIn())
  },
  async take(path: string): Promise<BlobDraft> {
    return FileDraft.take(path, await pathsIn())
  },
}

let directory: Promise<string> | undefined

async function pathsIn(): Promise<(contentId: string) => string> {
  directory ??= makeDirectory()
  const made = await directory
  return (contentId) => join(made, contentId)
}

async function makeDirectory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'treehook-blobs-'))
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  return made
}
