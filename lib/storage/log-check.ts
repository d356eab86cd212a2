/**
 * Reads LevelDB's logs before LevelDB does. LevelDB drops what is damaged in a log, up to the end of
 * its block, without an error, and removes the log: afterwards nobody can say what was in it. Here
 * nothing has been changed yet when the damage is found.
 *
 * A log is a row of blocks of 32 KiB; a block is a row of records, zeros from where none fits:
 *
 * | offset | bytes | meaning                                                        |
 * | ------ | ----- | -------------------------------------------------------------- |
 * | 0      | 4     | CRC-32C over type and data, masked, little endian              |
 * | 4      | 2     | bytes of data, little endian                                   |
 * | 6      | 1     | type: 1 whole, 2 first, 3 middle, 4 last piece of a batch      |
 * | 7      | n     | data                                                           |
 *
 * Damage is told from the end of an interrupted write by what follows it: after damage there are
 * good records, after an interrupted write there are none.
 *
 * @see LevelDB 1.20 `doc/log_format.md`, `db/log_reader.cc`, `util/crc32c.h`.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptStorageError } from './errors.js'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const HIGHEST_TYPE = 4

/** @throws STORAGE_CORRUPT when a log is damaged before its end. Changes nothing. */
export async function checkLogs(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    // LevelDB's LOG is prose, and LOCK must not be read: reading it loses the lock.
    if (!/^\d+\.log$/.test(name)) continue
    const offset = findDamage(await readFile(join(directory, name)))
    if (offset !== undefined) throw damagedLog(directory, name, offset)
  }
}

/** Where the first damaged record is that good ones follow. */
export function findDamage(log: Buffer): number | undefined {
  let damagedAt: number | undefined
  for (let block = 0; block < log.length; block += BLOCK_BYTES) {
    const blockEnd = Math.min(log.length, block + BLOCK_BYTES)
    for (let at = block; at + HEADER_BYTES <= blockEnd; ) {
      const end = at + HEADER_BYTES + log.readUInt16LE(at + 4)
      if (end <= blockEnd && isGood(log, at, end)) {
        if (damagedAt !== undefined) return damagedAt
        at = end
      } else {
        // Its length cannot be trusted: the next good record may begin anywhere in this block.
        damagedAt ??= at
        at++
      }
    }
  }
  return undefined
}

function isGood(log: Buffer, at: number, end: number): boolean {
  const type = log[at + 6]!
  if (type < 1 || type > HIGHEST_TYPE) return false
  return log.readUInt32LE(at) === mask(crc32c(log, at + 6, end))
}

/** LevelDB stores no plain CRC, since logs may hold data that holds CRCs. */
function mask(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** CRC-32C (Castagnoli); zlib has only the other polynomial. @see RFC 3720, appendix B.4 */
function crc32c(bytes: Buffer, start: number, end: number): number {
  let crc = 0xffff_ffff
  for (let i = start; i < end; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffff_ffff) >>> 0
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  return crc
})

function damagedLog(directory: string, name: string, offset: number): CorruptStorageError {
  return new CorruptStorageError(
    `The log ${join(directory, name)} is damaged at byte ${offset}, and good entries follow: commits would ` +
      'be lost. Nothing was changed. Restore a backup; or, knowing that the commits there are gone, open ' +
      "the directory with classic-level's ClassicLevel.repair.",
    { details: { location: directory, log: name, offset } },
  )
}
