import { describe, expect, test } from '@jest/globals'
import {
  CycleError,
  contentErrors,
  DuplicateNameError,
  InvalidItemError,
  InvalidNameError,
  LocationError,
} from '../../lib/content/index.js'
import { TreehookError } from '../../lib/foundation/index.js'

describe('Errors of the content layer', () => {
  test('have a stable code each, and are not retried', () => {
    expect(contentErrors.map(({ code, retryable }) => [code, retryable])).toEqual([
      ['CONTENT_LOCATION', false],
      ['CONTENT_DUPLICATE_NAME', false],
      ['CONTENT_INVALID_NAME', false],
      ['CONTENT_INVALID_ITEM', false],
      ['CONTENT_CYCLE', false],
    ])
  })

  test('are listed, under the name of their class', () => {
    const classes = { LocationError, DuplicateNameError, InvalidNameError, InvalidItemError }
    expect(contentErrors).toEqual([...Object.values(classes), CycleError])
    for (const [name, errorClass] of Object.entries({ ...classes, CycleError })) {
      const error = new errorClass('why')
      expect([error.name, error.message, error instanceof TreehookError]).toEqual([
        name,
        'why',
        true,
      ])
    }
  })
})
