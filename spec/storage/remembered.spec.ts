import { describe, expect, test } from '@jest/globals'
import { Remembered } from '../../lib/storage/remembered.js'

const bytes = (byteLength: number) => ({ byteLength })

describe('What is remembered', () => {
  test('is what was used last, within the budget', () => {
    const remembered = new Remembered<number, { byteLength: number }>(100)
    for (const key of [1, 2, 3]) remembered.add(key, bytes(30))
    expect(remembered.get(1)).toEqual(bytes(30))
    remembered.add(4, bytes(30))
    expect([1, 2, 3, 4].filter((key) => remembered.get(key))).toEqual([1, 3, 4])
  })

  test('is one at least', () => {
    const remembered = new Remembered<number, { byteLength: number }>(100)
    remembered.add(1, bytes(90))
    remembered.add(2, bytes(1000))
    expect([remembered.get(1), remembered.get(2)]).toEqual([undefined, bytes(1000)])
    remembered.add(3, bytes(10))
    expect([remembered.get(2), remembered.get(3)]).toEqual([undefined, bytes(10)])
  })
})
