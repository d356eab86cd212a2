import { describe, expect, test } from '@jest/globals'
import { assertId } from '../../lib/security/ids.js'
import { codeOfThrown } from '../support/content-builders.js'

describe('Id', () => {
  test('is text without whitespace', () => {
    expect(() => assertId('zope.View', 'a permission')).not.toThrow()
    for (const id of ['', ' ', 'a b', 'a\n', '\ud800', 7, undefined, null]) {
      expect(codeOfThrown(() => assertId(id, 'a permission'))).toBe('SECURITY_INVALID_ID')
    }
  })

  test('is named in the message with what it was for', () => {
    expect(() => assertId('a b', 'a role')).toThrow(/"a b" cannot be the id of a role/)
  })
})
