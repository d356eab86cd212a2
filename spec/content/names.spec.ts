import { describe, expect, test } from '@jest/globals'
import { assertValidName, isValidName } from '../../lib/content/names.js'
import { codeOfThrown } from '../support/content-builders.js'

describe('A name', () => {
  test.each(['a', '0', '__proto__', 'a/b', '%', '+a', 'a++b', '@a', '...', ' ', '😀', '\n', '\0'])(
    'can be %j',
    (name) => expect(() => assertValidName(name)).not.toThrow(),
  )

  test.each<[unknown, RegExp]>([
    ['', /at least one character/],
    ['.', /"\." means something else in a path/],
    ['..', /"\.\." means something else in a path/],
    ['++', /"\+\+" means something else in a path/],
    ['++etc++site', /means something else in a path/],
    ['@@view', /means something else in a path/],
    ['\udc00', /well-formed Unicode/],
    [7, /A name is text, not number/],
    [null, /A name is text, not null/],
    [undefined, /A name is text, not undefined/],
    [Symbol('a'), /A name is text, not symbol/],
    [new String('a'), /A name is text, not object/],
  ])('cannot be %p', (name, why) => {
    expect(codeOfThrown(() => assertValidName(name))).toBe('CONTENT_INVALID_NAME')
    expect(() => assertValidName(name)).toThrow(why)
  })

  test('is valid or not, without an error', () => {
    expect(['a', 'a/b', '', '..', 7].map(isValidName)).toEqual([true, true, false, false, false])
  })
})
