/**
 * The other process of storage specs: `storage-child.ts <task> <directory>`.
 *
 * - `try` opens the directory as a storage and prints `open` or the error's code,
 * - `tryLevel` does so with LevelDB alone,
 * - `hold` prints `open` once it has the storage open, and then waits to be killed,
 * - `write` commits until it is killed, and prints each tid once it is acknowledged.
 */
import { Level } from 'level'
import { codeOf } from '../../lib/foundation/index.js'
import { createDirectoryStorage } from '../../lib/storage/index.js'
import { aCommit } from './storage-builders.js'

const [task, directory] = process.argv.slice(2) as [string, string]

async function main(): Promise<void> {
  if (task === 'tryLevel') {
    const level = new Level(directory)
    await level.open()
    await level.close()
    console.log('open')
    return
  }
  const storage = createDirectoryStorage(directory)
  await storage.open()
  if (task !== 'write') console.log('open')
  if (task === 'try') return await storage.close()
  if (task === 'hold') return void setInterval(() => undefined, 1000)
  for (let tid = storage.lastTid + 1; ; tid++) {
    await storage.write([aCommit(tid, [tid, tid + 1])], 'relaxed')
    console.log(tid)
  }
}

main().catch((error: Error & { cause?: { code?: string } }) => {
  console.log(codeOf(error) ?? error.cause?.code ?? String(error))
})
