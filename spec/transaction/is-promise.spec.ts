import { describe, expect, test } from '@jest/globals'
import { isPromise } from '../../lib/transaction/is-promise.js'

describe('A promise', () => {
  test('is what has a then; anything else is none', () => {
    expect(isPromise(Promise.resolve())).toBe(true)
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is asked about
    expect(isPromise({ then() {} })).toBe(true)
    for (const value of [undefined, null, 0, 'then', {}, () => {}])
      expect(isPromise(value)).toBe(false)
  })
})
