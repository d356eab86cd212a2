import { describe, expect, test } from '@jest/globals'
import { writeFailure } from '../../lib/storage/write-failure.js'
import { aCommit } from '../support/storage-builders.js'

const diskFull = Object.assign(new Error('IO error: 000005.log: No space left on device'), {
  code: 'LEVEL_IO_ERROR',
})

describe('A write that failed', () => {
  test('of commits names the first and the last, and leaves open whether they are there', () => {
    const cause = new Error('broken')
    const one = writeFailure.ofCommits('here', [aCommit(7, [0])], cause)
    expect(one).toMatchObject({ code: 'STORAGE_OUTCOME_UNKNOWN', cause })
    expect(one.message).toContain('transaction 0000000000000007 to here')
    const both = writeFailure.ofCommits('here', [aCommit(7, [0]), aCommit(8, [0])], cause)
    expect(both.message).toContain('transactions 0000000000000007 to 0000000000000008')
    expect(both.details).toMatchObject({ first: '0000000000000007', last: '0000000000000008' })
  })

  test('of a checkpoint loses nothing', () => {
    const error = writeFailure.ofCheckpoint('here', new Error('broken'))
    expect(error).toMatchObject({ code: 'STORAGE_CHECKPOINT_FAILED' })
    expect(error.message).toContain('Every acknowledged commit is on disk')
  })

  test('on a full disk says to make room', () => {
    for (const error of [
      writeFailure.ofCommits('here', [aCommit(1, [0])], diskFull),
      writeFailure.ofCheckpoint('here', diskFull),
    ]) {
      expect(error.details).toMatchObject({ diskFull: true })
      expect(error.message).toContain('make room on it')
    }
  })

  test('while a storage was filled leaves what must be removed', () => {
    const error = writeFailure.ofFilling('here', new Error('broken'))
    expect(error).toMatchObject({ code: 'STORAGE_OUTCOME_UNKNOWN', details: { location: 'here' } })
    expect(error.message).toContain('Remove what is there')
  })
})
