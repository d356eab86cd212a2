import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { SharedTexts } from '../../lib/persistence/shared-text.js'

test('a shared text is the same text, in every field', () => {
  const field = fc.integer({ min: 0, max: 5 })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ maxLength: 40, unit: 'binary' }), field)),
      (given) => {
        const texts = new SharedTexts(3)
        for (const [text, at] of [...given, ...given]) expect(texts.share(text, at)).toBe(text)
      },
    ),
  )
})

test('a field whose texts never repeat is left alone, and tried again', () => {
  const texts = new SharedTexts(2)
  for (let n = 0; n < 20_000; n++) {
    expect(texts.share(`text ${n}`, 0)).toBe(`text ${n}`)
    expect(texts.share('the same', 1)).toBe('the same')
  }
})
