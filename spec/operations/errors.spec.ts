import { expect, test } from '@jest/globals'
import { DamagedBackupError, operationsErrors } from '../../lib/operations/errors.js'

test('Every error of this layer has a code of this layer, and none is retryable', () => {
  for (const { code, retryable } of operationsErrors) {
    expect([code.startsWith('OPERATIONS_'), retryable]).toEqual([true, false])
  }
})

test('A damaged backup names its file', () => {
  const error = DamagedBackupError.of({ file: '/backups/1/records', why: 'it is cut off' })
  expect(error.message).toContain('/backups/1/records')
  expect(error.details).toEqual({ file: '/backups/1/records' })
})
