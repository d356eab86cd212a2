import { open, readdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Renames a directory whose files were synced, so that it is there whole or not at all after a power loss. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await syncPath(from)
  await rename(from, to)
  await syncPath(dirname(to))
}

/** Syncs every file in a directory, which has no directories in it. */
export async function syncFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await syncPath(join(directory, name))
}

/** Waits until a file, or the names in a directory, are on the disk. */
export async function syncPath(path: string): Promise<void> {
  const file = await openForSync(path)
  try {
    await file?.sync()
  } finally {
    await file?.close()
  }
}

/** Windows opens no directories, and needs no such sync. */
async function openForSync(path: string) {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (process.platform === 'win32') return undefined
    throw error
  }
}
