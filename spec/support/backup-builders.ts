import {
  createMemoryDatabase,
  type History,
  LevelStorage,
  type Storage,
  type StorageCommit,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import { aCommit, METADATA } from './storage-builders.js'

/** Opens a storage in memory, which forgets commits soon when it keeps no history. */
export async function aStorage(
  options: { readonly history?: History; readonly forgets?: boolean } = {},
): Promise<Storage> {
  const { history, forgets = false } = options
  const database = createMemoryDatabase()
  const place = {
    location: 'memory',
    open: async () => {
      await database.open()
      return database
    },
    close: () => database.close(),
  }
  const storage = new LevelStorage(place, { history, ...(forgets && { writeBufferBytes: 1 }) })
  await storage.open()
  return storage
}

/** Commits `state of <tid>` to some objects, one second after the commit before. */
export async function commitTo(
  storage: Storage,
  oids: readonly number[],
  {
    removed = [],
    classes,
  }: { removed?: readonly number[]; classes?: StorageCommit['classes'] } = {},
): Promise<number> {
  const tid = storage.lastTid + 1
  const metadata = { ...METADATA, timeMs: tid * 1000, description: `number ${tid}` }
  const commit = { ...aCommit(tid, oids, { metadata }), removed: removed.map(toOid) }
  await storage.write([{ ...commit, ...(classes && { classes }) }], 'relaxed')
  return tid
}

/** Makes a storage that forgets soon drop the rows of all commits so far. */
export async function forgetCommits(storage: Storage): Promise<void> {
  const { lastTid } = storage
  const isGone = (): boolean => {
    try {
      storage.commits({ after: toTid(lastTid - 1) })
      return false
    } catch {
      return true
    }
  }
  for (let tries = 0; !isGone() && tries < 40; tries++) {
    await commitTo(storage, [0])
    await storage.checkpoint()
  }
}

/** Everything that can be read: at the newest commit, or at an earlier one. */
export async function contentsOf(storage: Storage, tid?: number): Promise<unknown> {
  const snapshot = tid === undefined ? storage.snapshot() : storage.snapshotAt(toTid(tid))
  const records: unknown[] = []
  for await (const { oid, tid: serial, classId, state } of snapshot.records()) {
    records.push([oid, serial, classId, Buffer.from(state).toString('latin1')])
  }
  snapshot.close()
  return { tid: snapshot.tid, timeMs: storage.timeOf(snapshot.tid), records }
}

/** The rest of what a storage is. */
export function headOf({ databaseId, lastTid, highestOid, classes, historyFrom }: Storage) {
  return { databaseId, lastTid, highestOid, classes, historyFrom }
}
