import type { Tid } from '../storage/index.js'

interface Mark {
  readonly timeMs: number
  readonly tid: Tid
}

/** So far apart are marks at first. */
const FIRST_STEP_MS = 1000
const MOST_MARKS = 4096

/**
 * Which commit was the newest at a time of this session, about: times are kept a second apart, and
 * further in a long session. What earlier sessions committed counts as older than any time.
 */
export class RecentCommits {
  #marks: Mark[]
  #stepMs = FIRST_STEP_MS

  /** @param tid - the newest commit when the session began. */
  constructor(tid: Tid) {
    this.#marks = [{ timeMs: Number.NEGATIVE_INFINITY, tid }]
  }

  note({ timeMs, tid }: Mark): void {
    const [previous, last] = this.#marks.slice(-2)
    // The newest commit always has a mark, whose place the next one takes.
    const isClose = last !== undefined && last.timeMs - (previous as Mark).timeMs < this.#stepMs
    if (isClose) this.#marks.pop()
    this.#marks.push({ timeMs, tid })
    if (this.#marks.length > MOST_MARKS) this.#thin()
  }

  /** A commit that was made at or before this time, the newest such as far as known. */
  newestAtOrBefore(timeMs: number): Tid {
    for (let at = this.#marks.length - 1; at > 0; at--) {
      const mark = this.#marks[at] as Mark
      if (mark.timeMs <= timeMs) return mark.tid
    }
    return (this.#marks[0] as Mark).tid
  }

  #thin(): void {
    this.#stepMs *= 2
    const last = this.#marks.length - 1
    this.#marks = this.#marks.filter((_, index) => index % 2 === 0 || index === last)
  }
}
