import { describe, expect, test } from '@jest/globals'
import { METADATA_LIMIT_BYTES } from '../../lib/transaction/index.js'
import { TransactionMetadata } from '../../lib/transaction/metadata.js'

const { empty } = TransactionMetadata
const refused = expect.objectContaining({ code: 'TRANSACTION_METADATA' })

describe('The metadata of a transaction', () => {
  test('is a value: a change leaves what was as it was', () => {
    const named = empty.withUser('ada').withNote(' hired Bob ').with('ticket', 7)
    expect(named).toMatchObject({ user: 'ada', description: 'hired Bob', extension: { ticket: 7 } })
    expect(empty).toMatchObject({ user: '', description: '', extension: {} })
    expect(empty.withNote('  ')).toBe(empty)
    expect(named.withNote('raised Alice').description).toBe('hired Bob\nraised Alice')
  })

  test('takes texts of so many bytes at most', () => {
    const full = 'x'.repeat(METADATA_LIMIT_BYTES)
    expect(empty.withUser(full).user).toBe(full)
    for (const change of [
      () => empty.withUser(`${full}x`),
      () => empty.withNote('ü'.repeat(METADATA_LIMIT_BYTES / 2 + 1)),
      () => empty.withNote(full).withNote('x'),
      () => empty.withUser(7 as never),
    ]) {
      expect(change).toThrow(refused)
    }
  })

  test('copies what it is given, if that is plain data', () => {
    const request = { path: '/' }
    const { extension } = empty.with('request', request).with('__proto__', 1)
    request.path = 'changed'
    expect(extension.request).toEqual({ path: '/' })
    expect([Object.keys(extension), Object.isFrozen(extension)]).toEqual([
      ['request', '__proto__'],
      true,
    ])
    expect(() => empty.with('hook', () => undefined)).toThrow(refused)
  })
})
