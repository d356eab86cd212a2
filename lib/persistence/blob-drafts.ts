import type { BlobDraft } from '../storage/index.js'
import type { BlobContent } from './blob-content.js'

/** Contents that blobs of this process have, and no record names yet: content id → draft. */
const drafts = new Map<string, BlobDraft>()

/** Drafts that no transaction ends go when nothing in memory names their content any more. */
const unnamed = new FinalizationRegistry<string>((id) => void forgetDraft(id))

export function draftWith(contentId: string): BlobDraft | undefined {
  return drafts.get(contentId)
}

export function rememberDraft(draft: BlobDraft): void {
  drafts.set(draft.contentId, draft)
}

/** Called when a draft belongs to no transaction: it lives as long as its content is named. */
export function bindDraft(content: BlobContent): void {
  unnamed.register(content, content.id)
}

export async function forgetDraft(contentId: string): Promise<void> {
  const draft = drafts.get(contentId)
  drafts.delete(contentId)
  await draft?.discard()
}
