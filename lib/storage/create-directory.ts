import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { hasCode } from './level-error.js'

/**
 * Creates a directory and those above it. Node's `mkdir` with `recursive` never returns where a
 * directory answers ENOENT to every name, as `/proc` does.
 */
export async function createDirectory(path: string): Promise<void> {
  if (await createOne(path)) return
  await createDirectory(dirname(path))
  await mkdir(path)
}

/** @returns whether it is there now; false when the one above it is not. */
async function createOne(path: string): Promise<boolean> {
  try {
    await mkdir(path)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return true
    if (hasCode(error, 'ENOENT') && path !== dirname(path)) return false
    throw error
  }
}
