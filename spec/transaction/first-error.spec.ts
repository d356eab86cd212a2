import { describe, expect, test } from '@jest/globals'
import { FirstError } from '../../lib/transaction/first-error.js'

describe('The first of several errors', () => {
  test('is thrown, whatever it is; the others are reported', () => {
    const reported: unknown[] = []
    const failure = new FirstError((error, where) => reported.push([error, where]))
    expect(() => failure.throwIfAny()).not.toThrow()
    failure.add(undefined, 'abort')
    failure.add('second', 'afterAbortHook')
    let thrown: unknown = 'nothing'
    try {
      failure.throwIfAny()
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeUndefined()
    expect(reported).toEqual([['second', 'afterAbortHook']])
  })
})
