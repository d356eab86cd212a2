import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { sharedText } from '../../lib/persistence/shared-text.js'

test('A shared text is the same text', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 40, unit: 'binary' })), (texts) => {
      for (const text of [...texts, ...texts]) expect(sharedText(text)).toBe(text)
    }),
  )
})
