import { describe, expect, test } from '@jest/globals'
import { LevelBytes, UnreadableBytes } from '../../lib/operations/level-bytes.js'

describe('Bytes of LevelDB', () => {
  test('are read one after another', () => {
    const source = new LevelBytes(Buffer.from([7, 0xac, 0x02, 2, 65, 66, 9]))
    expect([source.byte(), source.varint(), source.prefixed().toString()]).toEqual([7, 300, 'AB'])
    expect(source.isAtEnd).toBe(false)
    expect(source.take(1)).toEqual(Buffer.from([9]))
    expect(source.isAtEnd).toBe(true)
  })

  test('that end too early, or hold a number too large, are refused', () => {
    expect(() => new LevelBytes(Buffer.from([0x80])).varint()).toThrow(UnreadableBytes)
    expect(() => new LevelBytes(Buffer.from([5, 1])).prefixed()).toThrow(UnreadableBytes)
    expect(() => new LevelBytes(Buffer.alloc(12, 0xff)).varint()).toThrow('too large')
  })
})
