import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ClassicLevel } from 'classic-level'
import {
  causesOf,
  hasCode,
  isDiskFailure,
  isDiskFull,
  isNotWritable,
  isUnreadable,
} from '../../lib/storage/level-error.js'
import { aLevelDirectory, filesOf, keyOf } from '../support/level-directory.js'

let temporary: string

beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'treehook-level-error-'))
})

afterAll(() => rm(temporary, { recursive: true, force: true }))

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

  test('of a file that cannot be read is known, also when a synchronous read met it', async () => {
    const directory = await aLevelDirectory(join(temporary, 'tables'))
    const [table] = [...(await filesOf(directory, /\.ldb$/)).keys()]
    await rename(join(directory, table!), join(directory, 'elsewhere'))
    await mkdir(join(directory, table!))
    const level = new ClassicLevel(directory)
    await level.open()
    const synchronous = thrownBy(() => level.getSync(keyOf(1)))
    const asynchronous = await level.get(keyOf(1)).catch((error: unknown) => error)
    await level.close()
    expect(String(synchronous)).toMatch(/IO error/)
    expect(isUnreadable(synchronous)).toBe(true)
    expect(isUnreadable(asynchronous)).toBe(true)
    expect(isUnreadable(locked)).toBe(false)
  })

  test('that causes itself has an end', () => {
    const circular = new Error('circular')
    circular.cause = circular
    expect(causesOf(circular)).toEqual([circular])
  })
})

function thrownBy(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    return error
  }
}
