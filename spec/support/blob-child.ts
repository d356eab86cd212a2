/**
 * The other process of blob specs: `blob-child.ts <where> <directory>` commits a photo with the content
 * `old`, then begins to write `new`, and says so and waits where it was told: `streaming`;
 * `written` and not in its place; `placed` and not committed; `committed` and not cleaned up behind.
 * `full` writes more than a disk takes instead, and says what became of it.
 */
import { Blob, ObjectDatabase } from '../../lib/persistence/index.js'
import { createDirectoryStorage } from '../../lib/storage/index.js'
import { blobFilesIn } from './blob-builders.js'

const [where, directory] = process.argv.slice(2) as [string, string]

async function waitToBeKilled(): Promise<never> {
  console.log(where)
  return await new Promise(() => setInterval(() => undefined, 1000))
}

/** Writes more than the disk takes, and something else in the same transaction. */
async function fillDisk(): Promise<void> {
  const db = await ObjectDatabase.open(directory)
  const codes: unknown[] = []
  await db.transaction(async ({ rootMapping }) => {
    const photo = new Blob()
    rootMapping.set('photo', photo)
    await photo.write(['old'])
    const much = Array.from({ length: 160 }, () => Buffer.alloc(64 * 1024))
    await photo.write(much).catch((error: { code?: unknown }) => codes.push(error.code))
  })
  const content = await db.view(({ rootMapping }) => (rootMapping.get('photo') as Blob).bytes())
  await db.close()
  const { contents, drafts, uncertain } = blobFilesIn(directory)
  const files = [contents.length, drafts.length, uncertain.length]
  console.log(JSON.stringify({ codes, content: content.toString(), files }))
}

async function main(): Promise<void> {
  if (where === 'full') return fillDisk()
  const storage = createDirectoryStorage(directory)
  await storage.open()
  const db = await ObjectDatabase.open(directory, { storage })
  await db.transaction(async ({ rootMapping }) => {
    const photo = new Blob()
    rootMapping.set('photo', photo)
    await photo.write(['old'])
  })
  const write = storage.write.bind(storage)
  storage.write = async (...given) => {
    if (where === 'placed') await waitToBeKilled()
    await write(...given)
    if (where === 'committed') await waitToBeKilled()
  }
  const place = storage.blobs.place.bind(storage.blobs)
  storage.blobs.place = async (...given) => {
    if (where === 'written') await waitToBeKilled()
    await place(...given)
  }
  await db.transaction(({ rootMapping }) =>
    (rootMapping.get('photo') as Blob).write(
      (async function* () {
        yield 'ne'
        if (where === 'streaming') await waitToBeKilled()
        yield 'w'
      })(),
    ),
  )
}

void main()
