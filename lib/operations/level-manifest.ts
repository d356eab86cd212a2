import { LevelBytes, UnreadableBytes } from './level-bytes.js'
import { checkLog } from './level-log.js'
import { type KeyRange, userKey } from './level-table.js'

/** A table that belongs to the database. */
export interface LiveTable {
  readonly number: number
  /** Tables of a lower level have newer entries; in level 0, those with higher numbers. */
  readonly level: number
  readonly bytes: number
  /** All keys in it. */
  readonly keys: KeyRange
}

/** What a manifest tells of a database's files. */
export interface Manifest {
  readonly tables: ReadonlyMap<number, LiveTable>
  /** Logs with this number or a higher one belong to the database, and `earlierLog`. */
  readonly firstLog: number
  readonly earlierLog: number
}

/** What a manifest tells, and what is wrong with it. */
export interface ManifestCheck {
  readonly manifest: Manifest
  /** Where it is damaged, and how, as the end of a sentence. */
  readonly damage: readonly { readonly offset: number; readonly why: string }[]
}

// The parts of an edit. @see LevelDB 1.20 `db/version_edit.cc`.
const COMPARATOR = 1
const LOG_NUMBER = 2
const NEXT_FILE = 3
const LAST_SEQUENCE = 4
const COMPACT_POINTER = 5
const DELETED_FILE = 6
const NEW_FILE = 7
const EARLIER_LOG = 9

/**
 * Reads a manifest: a log whose entries say which files came and went.
 * @param isInUse - the database is open: an entry may be on its way.
 */
export function checkManifest(
  file: Buffer,
  { isInUse }: { readonly isInUse: boolean },
): ManifestCheck {
  const { entries, damagedAt, cutAt } = checkLog(file)
  const damage = damagedAt.map((offset) => ({
    offset,
    why: 'a checksum does not match its bytes',
  }))
  if (cutAt !== undefined && !isInUse) damage.push({ offset: cutAt, why: 'it ends too early' })
  const manifest = { tables: new Map<number, LiveTable>(), firstLog: 0, earlierLog: 0 }
  try {
    for (const entry of entries) applyEdit(new LevelBytes(entry), manifest)
  } catch (error) {
    if (!(error instanceof UnreadableBytes)) throw error
    damage.push({ offset: 0, why: error.message })
  }
  return { manifest, damage }
}

interface OpenManifest {
  readonly tables: Map<number, LiveTable>
  firstLog: number
  earlierLog: number
}

function applyEdit(edit: LevelBytes, manifest: OpenManifest): void {
  while (!edit.isAtEnd) {
    const part = edit.varint()
    if (part === COMPARATOR) edit.prefixed()
    else if (part === NEXT_FILE || part === LAST_SEQUENCE) edit.varint()
    else if (part === LOG_NUMBER) manifest.firstLog = edit.varint()
    else if (part === EARLIER_LOG) manifest.earlierLog = edit.varint()
    else if (part === COMPACT_POINTER) {
      edit.varint()
      edit.prefixed()
    } else if (part === DELETED_FILE) {
      edit.varint()
      manifest.tables.delete(edit.varint())
    } else if (part === NEW_FILE) addTable(edit, manifest)
    else throw new UnreadableBytes(`an entry has a part of unknown type ${part}`)
  }
}

function addTable(edit: LevelBytes, { tables }: OpenManifest): void {
  const level = edit.varint()
  const number = edit.varint()
  const bytes = edit.varint()
  const from = userKey(edit.prefixed())
  const upTo = userKey(edit.prefixed())
  tables.set(number, { number, level, bytes, keys: { from, upTo } })
}
