import { describe, expect, test } from '@jest/globals'
import { mergeField } from '../../lib/persistence/merge-field.js'

const add = ({ old, saved, wanted }: Record<'old' | 'saved' | 'wanted', number>): number =>
  saved + wanted - old

const state = (count: number, title = 'old', tags = ['a']) => ({ count, title, tags })

describe('Merge of one field', () => {
  test.each([
    ['nobody changed the others', state(3), state(4), state(6)],
    ['they changed the others', state(3, 'theirs'), state(4), state(6, 'theirs')],
    ['we changed the others', state(3), state(4, 'ours'), state(6, 'ours')],
    ['they are equal, if not the same', state(3, 'old', ['a']), state(4, 'old', ['a']), state(6)],
  ])('merges when %s', (_, saved, wanted, expected) => {
    expect(mergeField({ old: state(1), saved, wanted }, 'count', add)).toEqual(expected)
  })

  test('conflicts when both changed the others', () => {
    const states = { old: state(1), saved: state(3, 'theirs'), wanted: state(4, 'ours') }
    expect(mergeField(states, 'count', add)).toBeUndefined()
  })

  test('conflicts when the field cannot be merged', () => {
    const states = { old: state(1), saved: state(3), wanted: state(4) }
    expect(mergeField(states, 'count', () => undefined)).toBeUndefined()
  })
})
