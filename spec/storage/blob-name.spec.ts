import { describe, expect, test } from '@jest/globals'
import { formatBlobName, newContentId, parseBlobName } from '../../lib/storage/blob-name.js'
import { toOid } from '../../lib/storage/index.js'

describe('The name of a content', () => {
  test('is read as it was written', () => {
    const name = { oid: toOid(2 ** 52 + 5), contentId: newContentId() }
    expect(parseBlobName(formatBlobName(name))).toEqual(name)
  })

  test.each(['', 'notes.txt', '00000000000002af', '00000000000002af-0123', '2af-'.padEnd(36, '0')])(
    '%p is none',
    (text) => {
      expect(parseBlobName(text)).toBeUndefined()
    },
  )
})
