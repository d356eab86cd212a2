import type { RevisionLink } from './interfaces.js'
import { NO_TID, type Tid } from './tid.js'

/** Each so manieth revision of an object can be jumped to. */
const FAR = 16

const FIRST_LINK: RevisionLink = { previousTid: NO_TID, number: 0, farTid: NO_TID }

/**
 * The link of the revision that follows `previous`; of an object's first revision when there is none.
 * @param previous - the record that is replaced. One without a link counts as the first of its object.
 * @public
 */
export function nextLink(
  previous: { readonly tid: Tid; readonly link?: RevisionLink | undefined } | undefined,
): RevisionLink {
  if (previous === undefined) return FIRST_LINK
  const { tid, link = FIRST_LINK } = previous
  return {
    previousTid: tid,
    number: link.number + 1,
    farTid: link.number % FAR === 0 ? tid : link.farTid,
  }
}

/** The tid to look at next, on the way back to what was current at `tid`. */
export function towards(link: RevisionLink, tid: Tid): Tid {
  return link.farTid > tid ? link.farTid : link.previousTid
}
