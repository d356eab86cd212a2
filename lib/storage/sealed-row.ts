/** What every row has in common: a version first, but for the format row, and a CRC-32 (zlib) last. */
import { crc32 } from 'node:zlib'

/** On disk: of all rows but the format row, the checkpoint row and object records. */
export const ROW_VERSION = 1
/** Bytes of the checksum that ends a row. */
export const CRC_BYTES = 4

/** The bytes of a row are not those once written. For the caller to name row and way out. */
export class DamagedRow extends Error {
  override readonly name = 'DamagedRow'
}

/** A newer treehook wrote the row, or it was never treehook's. For the caller to explain. */
export class ForeignRow extends Error {
  override readonly name = 'ForeignRow'
}

/** Writes the checksum over the last bytes of `row` and returns it. */
export function seal(row: Buffer): Buffer {
  const end = row.length - CRC_BYTES
  row.writeUInt32BE(crc32(row.subarray(0, end)), end)
  return row
}

/** @throws DamagedRow */
export function assertSealed(row: Buffer): void {
  const end = row.length - CRC_BYTES
  if (end < 1 || crc32(row.subarray(0, end)) !== row.readUInt32BE(end)) {
    throw new DamagedRow('its checksum does not match its bytes')
  }
}

/** @throws DamagedRow, ForeignRow */
export function assertRow(row: Buffer, version = ROW_VERSION): void {
  assertSealed(row)
  if (row[0] !== version) {
    throw new ForeignRow(`it has row version ${row[0]}, this treehook reads ${version}`)
  }
}
