import { describe, expect, test } from '@jest/globals'
import * as errors from '../../lib/content/errors.js'
import { TreehookError } from '../../lib/foundation/index.js'

const { contentErrors, ...classes } = errors

describe('Errors of the content layer', () => {
  test('have a stable code each, and are not retried', () => {
    const codes = contentErrors.map(({ code }) => code)
    expect(codes.filter((code) => !/^CONTENT(_[A-Z]+)+$/.test(code))).toEqual([])
    expect(new Set(codes).size).toBe(codes.length)
    expect(contentErrors.filter(({ retryable }) => retryable)).toEqual([])
  })

  test('are listed, under the name of their class', () => {
    expect(new Set(contentErrors)).toEqual(new Set(Object.values(classes)))
    for (const [name, errorClass] of Object.entries(classes)) {
      const error = new errorClass('why')
      expect([error.name, error.message, error instanceof TreehookError]).toEqual([
        name,
        'why',
        true,
      ])
    }
  })
})
