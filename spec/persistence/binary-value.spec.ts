import { runInNewContext } from 'node:vm'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type BinaryValue,
  binaryKindOf,
  bytesOf,
  decodeBinary,
  encodeBinary,
  isBinary,
} from '../../lib/persistence/binary-value.js'

describe('Binary value', () => {
  test.each([
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'BigUint64Array',
    'ArrayBuffer',
  ])('%s of any realm is known, and read as one of this realm', (name) => {
    const foreign = runInNewContext(
      name === 'ArrayBuffer' ? 'new ArrayBuffer(2)' : `new ${name}(2)`,
    ) as BinaryValue
    expect([isBinary(foreign), binaryKindOf(foreign)]).toEqual([true, name])
    const read = decodeBinary(encodeBinary(foreign))
    expect(read).toBeInstanceOf((globalThis as unknown as Record<string, () => void>)[name]!)
    expect(bytesOf(read)).toEqual(bytesOf(foreign))
  })

  test('has the bytes that a view shows', () => {
    fc.assert(
      fc.property(fc.float64Array({ minLength: 2 }), (whole) => {
        const part = whole.subarray(1)
        expect(decodeBinary(encodeBinary(part))).toEqual(part)
      }),
    )
  })

  test('is no DataView, no shared memory, and nothing else', () => {
    const others = [
      new DataView(new ArrayBuffer(1)),
      new SharedArrayBuffer(1),
      {},
      { [Symbol.toStringTag]: 'Uint8Array' },
    ]
    expect(others.map(isBinary)).toEqual([false, false, false, false])
    expect(others.map(binaryKindOf)).toEqual([undefined, undefined, undefined, undefined])
    expect(binaryKindOf(Buffer.from('a'))).toBe('Buffer')
  })

  test('of a kind that nobody knows is refused', () => {
    expect(() => decodeBinary(new Uint8Array([99, 1]))).toThrow(RangeError)
  })
})
