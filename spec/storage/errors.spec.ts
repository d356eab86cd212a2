import { describe, expect, test } from '@jest/globals'
import { CorruptRecordError } from '../../lib/storage/errors.js'
import * as door from '../../lib/storage/index.js'

describe('The error table of the storage', () => {
  test('lists every error class that the door exports, once', () => {
    const exported = Object.values(door).filter(
      (value) => typeof value === 'function' && value.prototype instanceof Error,
    )
    expect(new Set(door.storageErrors)).toEqual(new Set(exported))
    const codes = door.storageErrors.map(({ code }) => code)
    expect(new Set(codes).size).toBe(codes.length)
    for (const code of codes) expect(code).toMatch(/^STORAGE_[A-Z_]+$/)
  })

  test('has two errors that can be tried again', () => {
    const retryable = door.storageErrors.filter((row) => row.retryable).map(({ code }) => code)
    expect(retryable).toEqual(['STORAGE_CONFLICT', 'STORAGE_READ_CONFLICT'])
  })
})

describe('A conflict', () => {
  const conflict = { oid: door.toOid(5), what: 'Employee at /anna', committed: door.toTid(9) }

  test('names the object, both revisions and the winner', () => {
    const error = door.ConflictError.between({ ...conflict, read: door.toTid(3) })
    expect(error).toMatchObject({ code: 'STORAGE_CONFLICT', retryable: true, winner: 9 })
    expect(error.message).toMatch(/Employee at \/anna.* 0{15}9 .* 0{15}3/)
  })

  test('on a key names the key', () => {
    const error = door.ConflictError.onKey({ ...conflict, key: 'anna' })
    expect(error).toMatchObject({ winner: 9, details: { key: 'anna' } })
    expect(error.message).toMatch(/"anna"/)
  })
})

test('A damaged record is named with the way out', () => {
  const error = CorruptRecordError.of({ oid: door.toOid(5), why: 'it is empty' })
  expect(error.message).toMatch(/oid 0{15}5 is damaged: it is empty.*backup/)
})
