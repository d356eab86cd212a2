/**
 * The process that is killed: `backup-child.ts <task> <directory>`, for ever.
 *
 * - `backup` commits to `<directory>/data` and backs it up to `<directory>/backups`,
 * - `restore` restores that to `<directory>/restored-1`, `restored-2` and so on.
 */
import { join } from 'node:path'
import { backup, restore } from '../../lib/operations/index.js'
import { createDirectoryStorage } from '../../lib/storage/index.js'
import { aCommit } from './storage-builders.js'

const [task, directory] = process.argv.slice(2) as [string, string]
const backups = join(directory, 'backups')

async function backUpForEver(): Promise<void> {
  const storage = createDirectoryStorage(join(directory, 'data'))
  await storage.open()
  for (let tid = storage.lastTid + 1; ; tid++) {
    const oids = Array.from({ length: 500 }, (_, oid) => oid + (tid % 7) * 100)
    await storage.write([aCommit(tid, oids, { state: `${tid} `.repeat(50) })], 'relaxed')
    const { number } = await backup(storage, backups, { full: tid % 5 === 0 })
    console.log(number)
  }
}

async function restoreForEver(): Promise<void> {
  for (let number = 1; ; number++) {
    await restore(backups, join(directory, `restored-${number}`))
    console.log(number)
  }
}

await (task === 'backup' ? backUpForEver() : restoreForEver())
