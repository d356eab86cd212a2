import { describe, expect, test } from '@jest/globals'
import { codeOf, defineError, TreehookError } from '../../lib/foundation/index.js'

class LostError extends defineError('LostError', 'TEST_LOST', { retryable: true }) {}

describe('An error class', () => {
  test('carries its code and whether to try again, on the class and on each error', () => {
    const error = new LostError('the letter is lost', { details: { letter: 7 } })
    expect(error).toBeInstanceOf(TreehookError)
    expect([LostError.code, LostError.retryable]).toEqual(['TEST_LOST', true])
    expect(error).toMatchObject({ code: 'TEST_LOST', retryable: true, details: { letter: 7 } })
  })

  test('is printed by its name in words', () => {
    expect(new LostError('the letter is lost').toString()).toBe('LostError: the letter is lost')
  })

  test('keeps the cause when there is one, and has none otherwise', () => {
    const cause = new Error('rain')
    expect(new LostError('lost', { cause }).cause).toBe(cause)
    expect('cause' in new LostError('lost')).toBe(false)
  })

  test('is not retryable unless it says so', () => {
    expect(defineError('FinalError', 'TEST_FINAL').retryable).toBe(false)
  })
})

describe('codeOf', () => {
  test('is the code of our errors and undefined for anything else', () => {
    expect([codeOf(new LostError('')), codeOf(new Error('')), codeOf('TEST_LOST')]).toEqual([
      'TEST_LOST',
      undefined,
      undefined,
    ])
  })
})
