import { readFile } from 'node:fs/promises'
import { hasCode } from './level-error.js'

/** What a file holds; `undefined` when there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
