/**
 * A set of oids in few bytes: ascending, each as its distance from the one before (the first from
 * 0), low 7 bits first, with the high bit set while more follow. LEB128, as in DWARF 4 §7.6.
 */
import { invariant } from '../foundation/index.js'
import { type Oid, toOid } from './oid.js'

const MAX_OID_BYTES = 8

/** The most bytes that a list of `count` oids takes. */
export function maxOidListBytes(count: number): number {
  return count * MAX_OID_BYTES
}

/**
 * Writes a list into `target`, which has room for it.
 * @param oids - distinct, in any order.
 * @returns where it ends.
 */
export function writeOids(target: Buffer, start: number, oids: readonly Oid[]): number {
  let at = start
  let previous = -1
  for (const oid of ascending(oids)) {
    invariant(oid !== previous, 'a commit writes each object once')
    let rest = previous < 0 ? oid : oid - previous
    while (rest >= 0x80) {
      target[at++] = (rest % 0x80) + 0x80
      rest = Math.floor(rest / 0x80)
    }
    target[at++] = rest
    previous = oid
  }
  return at
}

function ascending(oids: readonly Oid[]): Iterable<number> {
  for (let index = 1; index < oids.length; index++) {
    if ((oids[index] as Oid) < (oids[index - 1] as Oid)) return Float64Array.from(oids).sort()
  }
  return oids
}

/**
 * The oids, ascending.
 * @throws RangeError when the bytes are no list of oids.
 */
export function decodeOids(bytes: Uint8Array): Oid[] {
  const oids: Oid[] = []
  let oid = 0
  let distance = 0
  let scale = 1
  for (const byte of bytes) {
    distance += (byte % 0x80) * scale
    scale *= 0x80
    if (byte >= 0x80) continue
    oid += distance
    oids.push(toOid(oid))
    distance = 0
    scale = 1
  }
  if (scale !== 1) throw new RangeError('The list of oids ends in the middle of one')
  return oids
}
