import type { AbstractIteratorOptions, AbstractSnapshot } from 'abstract-level'
import type { LevelDatabase } from './level-database.js'

/**
 * Entries taken from LevelDB at a time: between two such steps other work gets its turn. What makes
 * buffers of 1000 holds the main thread up for 2 ms; less than a tenth of that takes a tenth longer in all.
 */
const ENTRIES_A_STEP = 128
/** And at most so many bytes, give or take a value. */
const BYTES_A_STEP = 1024 * 1024

/** A part of the keys. */
export type KeyRange = Pick<
  AbstractIteratorOptions<Buffer, Buffer>,
  'gt' | 'gte' | 'lt' | 'lte' | 'reverse' | 'limit'
>

/** A row as LevelDB keeps it. */
export type Entry = readonly [key: Buffer, value: Buffer]

/** The entries of a range, as they are now or in a snapshot. */
export async function* entriesOf(
  database: LevelDatabase,
  range: KeyRange,
  snapshot?: AbstractSnapshot,
): AsyncGenerator<Entry, void, undefined> {
  for await (const page of entryPagesOf(database, range, snapshot)) yield* page
}

/** The same, as many at a time as LevelDB gives: each `await` less is most of what an entry costs. */
export async function* entryPagesOf(
  database: LevelDatabase,
  range: KeyRange,
  snapshot?: AbstractSnapshot,
): AsyncGenerator<readonly Entry[], void, undefined> {
  const iterator = database.iterator<Buffer, Buffer>({
    ...range,
    ...(snapshot === undefined ? {} : { snapshot }),
    // classic-level's, unknown to others: what it reads ahead.
    ...({ highWaterMarkBytes: BYTES_A_STEP } as object),
  })
  try {
    for (;;) {
      const entries = await iterator.nextv(ENTRIES_A_STEP)
      if (entries.length === 0) return
      yield entries
    }
  } finally {
    await iterator.close()
  }
}
