import { setImmediate as nextTurn } from 'node:timers/promises'
import { InvalidRangeError } from '../errors.js'
import type { RangeOptions } from './tree-range.js'

/** @public */
export interface PageOptions extends RangeOptions {
  /** Entries on a page; the last page may have fewer. Default 1000. */
  readonly size?: number
  /** Ends the walk: the next page throws the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * What an iterator gives, in pages, with a turn of the event loop for others between two of them.
 * Nothing is kept of a page that was given.
 * @throws PERSISTENCE_INVALID_RANGE when the size is no whole number from 1 on.
 */
export function pagesOf<T>(
  entries: Iterator<T>,
  { size = DEFAULT_SIZE, signal }: PageOptions,
): AsyncGenerator<T[], void, undefined> {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new InvalidRangeError(`The size of a page is ${size}; give a whole number from 1 on`)
  }
  return walk(entries, size, signal)
}

async function* walk<T>(
  entries: Iterator<T>,
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<T[], void, undefined> {
  for (;;) {
    signal?.throwIfAborted()
    const page = nextPage(entries, size)
    if (page.length === 0) return
    yield page
    if (page.length < size) return
    await nextTurn()
  }
}

function nextPage<T>(entries: Iterator<T>, size: number): T[] {
  const page: T[] = []
  while (page.length < size) {
    const { value, done } = entries.next()
    if (done === true) break
    page.push(value)
  }
  return page
}

const DEFAULT_SIZE = 1000
