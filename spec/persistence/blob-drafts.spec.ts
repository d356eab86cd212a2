import { describe, expect, test } from '@jest/globals'
import {
  bindDraft,
  draftWith,
  forgetDraft,
  rememberDraft,
} from '../../lib/persistence/blob-drafts.js'
import { MemoryBlobs } from '../../lib/storage/memory-blobs.js'

describe('A draft that blobs name', () => {
  test('is found by its content id until it is forgotten, and then discarded', async () => {
    const draft = await new MemoryBlobs().create()
    await draft.finish()
    rememberDraft(draft)
    expect(draftWith(draft.contentId)).toBe(draft)
    bindDraft(Object.freeze({ id: draft.contentId, size: 0, sha256: '' }))
    await forgetDraft(draft.contentId)
    await forgetDraft(draft.contentId)
    expect(draftWith(draft.contentId)).toBeUndefined()
    expect(draft.open()).toBeUndefined()
  })
})
