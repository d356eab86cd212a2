import { describe, expect, test } from '@jest/globals'
import { inTurn, isPromise } from '../../lib/transaction/in-turn.js'

describe('In turn', () => {
  test('calls without promises are over on return', () => {
    const called: string[] = []
    const waiting = inTurn(['a', 'b'], (item, index) => void called.push(`${item}${index}`))
    expect(waiting).toBe(undefined)
    expect(called).toEqual(['a0', 'b1'])
  })

  test('a call waits for the promise of the one before', async () => {
    const log: string[] = []
    const waiting = inTurn(['a', 'b', 'c'], (item) => {
      log.push(`${item} begins`)
      if (item === 'c') return undefined
      return new Promise<void>((resolve) => setImmediate(resolve)).then(
        () => void log.push(`${item} ends`),
      )
    })
    expect(log).toEqual(['a begins'])
    await waiting
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins'])
  })

  test('a rejection skips the rest', async () => {
    const called: string[] = []
    const waiting = inTurn(['a', 'b'], (item) => {
      called.push(item)
      return Promise.reject(new Error('no'))
    })
    await expect(waiting).rejects.toThrow('no')
    expect(called).toEqual(['a'])
  })

  test('what has a then is a promise, anything else is not', () => {
    expect(isPromise(Promise.resolve())).toBe(true)
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is asked about
    expect(isPromise({ then() {} })).toBe(true)
    for (const value of [undefined, null, 0, 'then', {}, () => {}])
      expect(isPromise(value)).toBe(false)
  })
})
