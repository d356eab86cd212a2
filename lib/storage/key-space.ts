/**
 * Every key the library writes. All numbers are big endian, so that key order is number order.
 *
 * | key                         | bytes | row                                          | since |
 * | --------------------------- | ----- | -------------------------------------------- | ----- |
 * | `01` u64 = 0                | 9     | format row: magic, version, database id      | 1     |
 * | `01` u64 = 1                | 9     | last row: newest tid, counts, next oid       | 1     |
 * | `02` u64 class id           | 9     | class row: stored name and fields            | 1     |
 * | `03` u64 tid                | 9     | transaction row: metadata, oids, sizes       | 1     |
 * | `04` u64 oid                | 9     | object record: the newest revision           | 1     |
 * | `05` u64 oid, u64 2^64-1-tid| 17    | kept for earlier revisions, newest first     | —     |
 * | `06` u64 blob, u64 chunk    | 17    | kept for pieces of blobs                     | —     |
 * | `07` u64 ms, u64 tid        | 17    | kept for the way from wall time to tid       | —     |
 *
 * A prefix above `07` is free. What the values hold is drawn in `record.ts` (object records) and in
 * `rows.ts` (all others).
 */
import { readUint64, writeUint64 } from '../foundation/index.js'
import type { Oid } from './oid.js'
import type { Tid } from './tid.js'

/** On disk: the size of every key of format version 1. */
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
export const LAST_KEY = metaKeys.encode(1)
export const classKeys = new NumberedKeys<number>(0x02)
export const transactionKeys = new NumberedKeys<Tid>(0x03)
export const objectKeys = new NumberedKeys<Oid>(0x04)
