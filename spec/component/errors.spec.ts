import { describe, expect, test } from '@jest/globals'
import { componentErrors } from '../../lib/component/index.js'
import { TreehookError } from '../../lib/foundation/index.js'

describe('Component errors', () => {
  test('each has its own code, prefixed by the layer', () => {
    expect(componentErrors.map(({ code }) => code)).toEqual([
      'COMPONENT_LOOKUP',
      'COMPONENT_INVALID_REGISTRATION',
      'COMPONENT_INCONSISTENT_ORDER',
      'COMPONENT_UNKNOWN',
      'COMPONENT_BROKEN_PROMISE',
    ])
  })

  test('each is a treehook error that does not go away by trying again', () => {
    for (const ErrorClass of componentErrors) {
      const error = new ErrorClass('what happened')
      expect(error).toBeInstanceOf(TreehookError)
      expect(error.code).toBe(ErrorClass.code)
      expect(error.retryable).toBe(false)
    }
  })
})
