import { CorruptRecordError, formatOid, type Oid } from '../storage/index.js'
import { REFERENCE_TYPE } from './plain-values.js'
import { CROSS_REFERENCE_TYPE, MAP_TYPE, SET_TYPE, WEAK_REFERENCE_TYPE } from './state-codec.js'

/** The oids that a record's state names, each as often as it is named. @public */
export interface StoredReferences {
  /** What the object holds, and so keeps: other objects, and the nodes of its tree. */
  readonly strong: Oid[]
  /** What its weak references lead to, and may be gone. */
  readonly weak: Oid[]
}

/**
 * Every reference in a state, without the application's classes: at any depth of plain values, as
 * values of Maps, members of Sets, items and children of trees. References to other databases are
 * left out. Walks the bytes and makes no
 * values, so that a garbage collection can ask it of every record.
 *
 * @param oid - whose state it is, for the message.
 * @throws STORAGE_CORRUPT_RECORD when the bytes are no state.
 * @public
 */
export function referencesOf(state: Uint8Array, oid?: Oid): StoredReferences {
  const strong: Oid[] = []
  const weak: Oid[] = []
  const end = state.length
  let at = 0
  let left = 1 // values still to come
  while (left > 0 && at < end) {
    left--
    const byte = state[at++] as number
    if (byte < 0x80 || byte >= 0xe0) continue // a small number
    if (byte < 0x90) left += (byte & 0x0f) * 2
    else if (byte < 0xa0) left += byte & 0x0f
    else if (byte < 0xc0) at += byte & 0x1f
    else if (byte === FIXEXT_1) {
      const type = state[at] as number
      at += 2 // the type, and a byte that means nothing where a value follows
      if (type === REFERENCE_TYPE || type === WEAK_REFERENCE_TYPE) {
        const width = (WIDTHS[(state[at] as number) - 0xc0] ?? 0) + 1
        const found = at + width <= end ? oidAt(state, at) : undefined
        if (found === undefined) throw noState(oid)
        ;(type === REFERENCE_TYPE ? strong : weak).push(found)
        at += width
      } else if (type === MAP_TYPE || type === SET_TYPE || type === CROSS_REFERENCE_TYPE) left++
    } else {
      const width = WIDTHS[byte - 0xc0] as number
      if (width >= 0) at += width
      else {
        const lengthBytes = LENGTH_BYTES[byte - 0xc0] as number
        if (at + lengthBytes > end) throw noState(oid)
        const length = lengthAt(state, at, lengthBytes)
        at += lengthBytes
        if (width === ARRAY) left += length
        else if (width === MAP) left += length * 2
        else if (width === EXTENSION) at += 1 + length
        else if (width === BYTES) at += length
        else throw noState(oid)
      }
    }
  }
  if (left !== 0 || at !== end) throw noState(oid)
  return { strong, weak }
}

const FIXEXT_1 = 0xd4

// What follows the bytes 0xc0 to 0xdf: so many bytes, or one of these.
const BYTES = -1
const EXTENSION = -2
const ARRAY = -3
const MAP = -4
const NOTHING = -5

// biome-ignore format: the specification's own rows
const WIDTHS = [
  0, NOTHING, 0, 0, // null, never used, false, true
  BYTES, BYTES, BYTES, EXTENSION, EXTENSION, EXTENSION, // bin 8 to 32, ext 8 to 32
  4, 8, // float 32 and 64
  1, 2, 4, 8, // uint 8 to 64
  1, 2, 4, 8, // int 8 to 64
  2, 3, 5, 9, 17, // fixext 1 to 16
  BYTES, BYTES, BYTES, // str 8 to 32
  ARRAY, ARRAY, MAP, MAP, // 16 and 32
] as const

// biome-ignore format: as the rows above
const LENGTH_BYTES = [
  0, 0, 0, 0,
  1, 2, 4, 1, 2, 4,
  0, 0,
  0, 0, 0, 0,
  0, 0, 0, 0,
  0, 0, 0, 0, 0,
  1, 2, 4,
  2, 4, 2, 4,
] as const

function lengthAt(state: Uint8Array, at: number, bytes: number): number {
  let length = 0
  for (let index = 0; index < bytes; index++) length = length * 256 + (state[at + index] as number)
  return length
}

/** The number at `at`, when it can be an oid. */
function oidAt(state: Uint8Array, at: number): Oid | undefined {
  const byte = state[at] as number
  let oid: number
  if (byte < 0x80) oid = byte
  else if (byte >= 0xcc && byte <= 0xcf) oid = lengthAt(state, at + 1, 1 << (byte - 0xcc))
  else if (byte === 0xcb) {
    oid = new DataView(state.buffer, state.byteOffset + at + 1, 8).getFloat64(0)
  } else return undefined
  return Number.isSafeInteger(oid) && oid >= 0 ? (oid as Oid) : undefined
}

function noState(oid: Oid | undefined): CorruptRecordError {
  const whose = oid === undefined ? 'A state' : `The state of oid ${formatOid(oid)}`
  return new CorruptRecordError(
    `${whose} is not what treehook writes: its references cannot be found; restore a backup`,
    { details: oid === undefined ? {} : { oid: formatOid(oid) } },
  )
}
