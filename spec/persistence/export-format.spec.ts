import { describe, expect, test } from '@jest/globals'
import { EXPORT_FORMAT, EXPORT_VERSION } from '../../lib/persistence/export-format.js'

describe('Export format', () => {
  test('is what exports that are kept somewhere say', () => {
    expect([EXPORT_FORMAT, EXPORT_VERSION]).toEqual(['treehook-export', 1])
  })
})
