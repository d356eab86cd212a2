import { describe, expect, test } from '@jest/globals'
import { defineError } from '../../lib/foundation/index.js'
import {
  aBoolean,
  aClock,
  aFunction,
  anAbortSignal,
  anIterable,
  anything,
  aPath,
  aWholeNumber,
  checkOption,
  checkOptions,
  milliseconds,
  type OptionRule,
  type OptionRules,
  oneOf,
} from '../../lib/foundation/options.js'
import { FakeClock } from '../../lib/testing/index.js'

class RefusedError extends defineError('RefusedError', 'SPEC_REFUSED') {}

const rules: OptionRules<{ size?: number; mode?: string }> = {
  size: aWholeNumber(1, 9),
  mode: oneOf('fast', 'safe'),
}

function messageOf(options: unknown): string {
  try {
    checkOptions(options as { size?: number }, rules, RefusedError)
  } catch (error) {
    expect(error).toMatchObject({ code: 'SPEC_REFUSED' })
    return (error as Error).message
  }
  return ''
}

describe('Options', () => {
  test('that exist and have a value they can have pass; what is undefined is left out', () => {
    expect(messageOf({ size: 9, mode: 'safe' })).toBe('')
    expect(messageOf({ size: undefined, other: undefined })).toBe('')
    expect(messageOf({})).toBe('')
  })

  test('that do not exist are refused with the names of those that do', () => {
    expect(messageOf({ sise: 1 })).toBe('There is no option sise. There are: size, mode.')
    expect(messageOf({ toString: 1 })).toMatch('There is no option toString')
  })

  test('are refused by name, with what was given and what is accepted', () => {
    expect(messageOf({ size: 10 })).toBe('size is 10: give a whole number from 1 to 9.')
    expect(messageOf({ mode: 'Safe' })).toBe("mode is 'Safe': give 'fast' or 'safe'.")
    expect(messageOf({ mode: 'x'.repeat(50) })).toContain(`'${'x'.repeat(40)}…'`)
  })

  test('are an object', () => {
    expect(messageOf(null)).toBe('Options are an object, not null.')
    expect(messageOf(7n)).toBe('Options are an object, not 7n.')
    expect(messageOf(() => 1)).toBe('Options are an object, not a function.')
  })

  test('never show what an object holds', () => {
    expect(messageOf({ size: { secret: 's3cret' } })).toMatch('size is an object:')
    expect(messageOf({ size: ['s3cret'] })).toMatch('size is an array:')
  })

  test('an option may be checked alone', () => {
    const check = () => checkOption('tries', 0, aWholeNumber(1), RefusedError)
    expect(check).toThrow('tries is 0: give a whole number from 1 upward.')
  })

  const { signal } = new AbortController()
  test.each<[string, OptionRule, unknown[], unknown[]]>([
    ['a boolean', aBoolean, [true, false], [0, 'true', null]],
    ['a function', aFunction, [() => 1], [{}, 'f', null]],
    ['an abort signal', anAbortSignal, [signal, AbortSignal.abort()], [{}, 'stop', null]],
    ['a clock', aClock, [new FakeClock()], [Date, {}, 0]],
    ['a path', aPath, ['/', '.', 'a b'], ['', 5, new URL('file:///'), null]],
    ['iterable', anIterable, [[], new Set(), new Map().keys()], [5, {}, 'text', null]],
    ['milliseconds', milliseconds, [0, 0.5, Number.POSITIVE_INFINITY], [-1, Number.NaN, '5']],
    ['a whole number', aWholeNumber(0), [0, 2 ** 53 - 1], [-1, 0.5, 2 ** 53, Number.NaN, '5', 5n]],
    ['anything', anything, [0, null, {}], []],
  ])('%s is told from what is none', (_name, { accepts }, those, others) => {
    expect(those.filter(accepts)).toEqual(those)
    expect(others.filter(accepts)).toEqual([])
  })
})
