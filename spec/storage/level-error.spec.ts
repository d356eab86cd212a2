import { describe, expect, test } from '@jest/globals'
import {
  causesOf,
  hasCode,
  isDiskFailure,
  isDiskFull,
  isNotWritable,
} from '../../lib/storage/level-error.js'

const locked = new Error('not open', {
  cause: Object.assign(new Error('lock'), { code: 'LEVEL_LOCKED' }),
})

describe('An error of LevelDB', () => {
  test('is known by the code of a cause', () => {
    expect(hasCode(locked, 'LEVEL_LOCKED')).toBe(true)
    expect(hasCode(locked, 'LEVEL_CORRUPTION')).toBe(false)
  })

  test('of a full disk is known by code or words', () => {
    expect(isDiskFull(Object.assign(new Error(), { code: 'ENOSPC' }))).toBe(true)
    expect(
      isDiskFull(new Error('x', { cause: new Error('IO error: a: No space left on device') })),
    ).toBe(true)
    expect(isDiskFull(locked)).toBe(false)
  })

  test('of a place that cannot be written is known by code or words', () => {
    expect(isNotWritable(Object.assign(new Error(), { code: 'EROFS' }))).toBe(true)
    expect(isNotWritable(new Error('IO error: /a/LOCK: Permission denied'))).toBe(true)
    expect(isNotWritable('a string')).toBe(false)
  })

  test('of a disk that fails is known by code', () => {
    const failed = Object.assign(new Error('IO error: Input/output error'), {
      code: 'LEVEL_IO_ERROR',
    })
    expect(isDiskFailure(new Error('not open', { cause: failed }))).toBe(true)
    expect(isDiskFailure(locked)).toBe(false)
  })

  test('that causes itself has an end', () => {
    const circular = new Error('circular')
    circular.cause = circular
    expect(causesOf(circular)).toEqual([circular])
  })
})
