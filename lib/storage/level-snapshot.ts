import type { AbstractGetOptions, AbstractLevel, AbstractSnapshot } from 'abstract-level'
import { CorruptRecordError, CorruptStorageError, StorageClosedError } from './errors.js'
import type { StorageRecord, StorageSnapshot } from './interfaces.js'
import { KEY_BYTES, LAST_KEY, objectKeys } from './key-space.js'
import { isUnreadable } from './level-error.js'
import { formatOid, type Oid } from './oid.js'
import { decodeRecord } from './record.js'
import { DamagedRow, decodeLastRow, ForeignRow } from './rows.js'
import { NO_TID, type Tid } from './tid.js'

/** Any abstract-level database whose keys and values are Buffers. */
export type LevelDatabase = AbstractLevel<string | Buffer | Uint8Array, Buffer, Buffer>

/** The key of every read: `getSync` has copied it before it returns. */
const scratchKey = Buffer.allocUnsafe(KEY_BYTES)

/** A LevelDB snapshot, read by oid. */
export class LevelSnapshot implements StorageSnapshot {
  readonly tid: Tid
  readonly #database: LevelDatabase
  readonly #snapshot: AbstractSnapshot
  /** Complete and reused: options made or completed for each read cost as much as half of the read. */
  readonly #options: AbstractGetOptions<Buffer, Buffer>
  readonly #onClose: (snapshot: LevelSnapshot) => void
  #isClosed = false

  /** @param onClose - called once, when the snapshot lets go of its LevelDB snapshot. */
  constructor(database: LevelDatabase, onClose: (snapshot: LevelSnapshot) => void) {
    this.#database = database
    this.#snapshot = database.snapshot()
    this.#options = { keyEncoding: 'buffer', valueEncoding: 'buffer', snapshot: this.#snapshot }
    this.#onClose = onClose
    try {
      // Through the snapshot itself: a number kept beside it could name another commit.
      const last = database.getSync(LAST_KEY, this.#options)
      this.tid = last === undefined ? NO_TID : decodeLastRow(last).tid
    } catch (error) {
      void this.#snapshot.close()
      throw unreadableLastRow(error)
    }
  }

  load(oid: Oid): StorageRecord | undefined {
    if (this.#isClosed) throw closedError(oid)
    const bytes = this.#read(oid)
    return bytes === undefined ? undefined : decodeRecord(bytes, oid)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // Its promise says nothing new: reads are synchronous, so none holds the snapshot open.
    void this.#snapshot.close()
    this.#onClose(this)
  }

  #read(oid: Oid): Buffer | undefined {
    try {
      return this.#database.getSync(objectKeys.write(scratchKey, oid), this.#options)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      throw CorruptRecordError.of({ oid, why: 'LevelDB cannot read it', cause: error })
    }
  }
}

function unreadableLastRow(error: unknown): unknown {
  const bad = error instanceof DamagedRow || error instanceof ForeignRow || isUnreadable(error)
  if (!bad) return error
  return new CorruptStorageError(
    `The last row of the database cannot be read: ${String(error)}. Restore a backup.`,
    { cause: error },
  )
}

function closedError(oid: Oid): StorageClosedError {
  return new StorageClosedError(
    `The object with oid ${formatOid(oid)} was asked of a snapshot that is closed. Read before the snapshot ` +
      'or its storage is closed.',
    { details: { oid: formatOid(oid) } },
  )
}
