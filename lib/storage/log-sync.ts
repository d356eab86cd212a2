import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from './level-error.js'
import { isLog } from './level-log.js'

/**
 * Makes what LevelDB has written to its logs survive a power loss. A synced batch syncs the newest log
 * alone; what LevelDB wrote before to others it syncs only as it makes tables of them.
 */
export async function syncLogs(directory: string): Promise<void> {
  const names = await readdir(directory)
  await Promise.all(names.filter(isLog).map((name) => syncFile(join(directory, name))))
}

/** Unless it is gone: what was in it is in a table then, which is synced. */
async function syncFile(path: string): Promise<void> {
  try {
    // For writing, which Windows asks for.
    const file = await open(path, 'r+')
    try {
      await file.datasync()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}
