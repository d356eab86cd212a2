/**
 * Every key the library writes. All numbers are big endian, so that key order is number order.
 *
 * | key                         | bytes | row                                          | since |
 * | --------------------------- | ----- | -------------------------------------------- | ----- |
 * | `01` u64 = 0                | 9     | format row: magic, version, database id      | 1     |
 * | `01` u64 = 1                | 9     | checkpoint row: what of the redo log is in object rows | 1 |
 * | `02` u64 class id           | 9     | class row: stored name and fields            | 1     |
 * | `03` u64 tid                | 9     | commit row: a whole commit                   | 1     |
 * | `04` u64 oid                | 9     | object row: the newest checkpointed revision | 1     |
 * | `05` u64 oid, u64 tid       | 17    | preserved row: a revision kept by itself     | 1     |
 *
 * A prefix above `05` is free. What the values hold is drawn in `commit-row.ts` (commit rows),
 * `record.ts` (object and preserved rows) and `rows.ts` (all others).
 */
import { readUint64, writeUint64 } from '../foundation/index.js'
import type { Oid } from './oid.js'
import type { Tid } from './tid.js'

/** On disk: the size of every key with one number. */
export const KEY_BYTES = 9

/** The keys of one kind of row: one prefix byte, then one number. */
export class NumberedKeys<N extends number> {
  /** On disk. */
  readonly prefix: number
  /** All keys of this kind: first included, last excluded. */
  readonly range: { readonly gte: Buffer; readonly lt: Buffer }

  constructor(prefix: number) {
    this.prefix = prefix
    this.range = { gte: Buffer.from([prefix]), lt: Buffer.from([prefix + 1]) }
  }

  /** A new key. */
  encode(id: N): Buffer {
    return this.write(Buffer.allocUnsafe(KEY_BYTES), id)
  }

  /** Writes the key over the first {@link KEY_BYTES} bytes of `target` and returns it. */
  write(target: Buffer, id: N): Buffer {
    target[0] = this.prefix
    writeUint64(target, id, 1)
    return target
  }

  /** The number in a key, or `undefined` when it is no key of this kind. */
  decode(key: Buffer): N | undefined {
    if (key.length !== KEY_BYTES || key[0] !== this.prefix) return undefined
    const id = readUint64(key, 1)
    return Number.isSafeInteger(id) ? (id as N) : undefined
  }
}

const metaKeys = new NumberedKeys<number>(0x01)

/** On disk. */
export const FORMAT_KEY = metaKeys.encode(0)
/** On disk. */
export const CHECKPOINT_KEY = metaKeys.encode(1)
export const classKeys = new NumberedKeys<number>(0x02)
export const commitKeys = new NumberedKeys<Tid>(0x03)
export const objectKeys = new NumberedKeys<Oid>(0x04)

/** On disk: the first byte of the keys of preserved rows. */
const PRESERVED_PREFIX = 0x05
const PRESERVED_KEY_BYTES = 17

/** The first bytes of keys, for who meets keys outside of the storage. */
export const ROW_PREFIXES = {
  commit: commitKeys.prefix,
  object: objectKeys.prefix,
  preserved: PRESERVED_PREFIX,
} as const

/** The keys of revisions that are kept by themselves: their commit's row is gone, or will be. */
export const preservedKeys = {
  /** All of them: first included, last excluded. */
  range: { gte: Buffer.from([PRESERVED_PREFIX]), lt: Buffer.from([PRESERVED_PREFIX + 1]) },

  /** A new key. */
  encode(oid: Oid, tid: Tid): Buffer {
    const key = Buffer.allocUnsafe(PRESERVED_KEY_BYTES)
    key[0] = PRESERVED_PREFIX
    writeUint64(key, oid, 1)
    writeUint64(key, tid, 9)
    return key
  },

  /** The oid and tid in a key, or `undefined` when it is no key of this kind. */
  decode(key: Buffer): { readonly oid: Oid; readonly tid: Tid } | undefined {
    if (key.length !== PRESERVED_KEY_BYTES || key[0] !== PRESERVED_PREFIX) return undefined
    const [oid, tid] = [readUint64(key, 1), readUint64(key, 9)]
    if (!Number.isSafeInteger(oid) || !Number.isSafeInteger(tid)) return undefined
    return { oid: oid as Oid, tid: tid as Tid }
  },
}
