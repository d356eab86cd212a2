import { afterEach, describe, test } from '@jest/globals'
import fc from 'fast-check'
import { ObjectDatabase } from '../../lib/persistence/index.js'
import type { Savepoint } from '../../lib/transaction/index.js'
import { aPhotoIn, blobFilesIn, photoOf, textOf } from '../support/blob-builders.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()

afterEach(() => directories.removeAll())

/** What a transaction does to a blob, one thing after the other. */
type Step =
  | { readonly kind: 'write'; readonly text: string }
  | { readonly kind: 'fail' }
  | { readonly kind: 'savepoint' }
  | { readonly kind: 'rollback'; readonly to: number }

const aStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), text: fc.string({ maxLength: 20 }) }),
  fc.constant({ kind: 'fail' } as const),
  fc.constant({ kind: 'savepoint' } as const),
  fc.record({ kind: fc.constant('rollback' as const), to: fc.nat(3) }),
)
const aTransaction = fc.record({
  steps: fc.array(aStep, { maxLength: 8 }),
  ending: fc.constantFrom('commit' as const, 'abort' as const),
})

class Aborted extends Error {}

/** Carries the steps out, and gives the text that the blob must have in the end. */
async function run(
  db: ObjectDatabase,
  before: string,
  { steps, ending }: { readonly steps: readonly Step[]; readonly ending: 'commit' | 'abort' },
): Promise<string> {
  let text = before
  const work = db.transaction(async (context) => {
    const photo = aPhotoIn(context)
    const savepoints: { readonly savepoint: Savepoint; readonly text: string }[] = []
    for (const step of steps) {
      if (step.kind === 'write') {
        await photo.write([step.text])
        text = step.text
      } else if (step.kind === 'fail') {
        await photo.write([5 as never]).catch(() => undefined)
      } else if (step.kind === 'savepoint') {
        savepoints.push({ savepoint: context.transaction.savepoint(), text })
      } else {
        const at = savepoints[step.to]
        if (at === undefined) continue
        at.savepoint.rollback()
        savepoints.length = step.to + 1
        text = at.text
      }
      if ((await textOf(photo)) !== text) throw new Error(`${await textOf(photo)}, not ${text}`)
    }
    if (ending === 'abort') throw new Aborted()
  })
  try {
    await work
    return text
  } catch (error) {
    if (error instanceof Aborted) return before
    throw error
  }
}

/** What was superseded goes behind the commit. */
async function filesSettled(directory: string, most: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { contents, drafts, uncertain } = blobFilesIn(directory)
    if (contents.length <= most && drafts.length === 0 && uncertain.length === 0) return
    if (tries === 300) throw new Error(JSON.stringify({ contents, drafts, uncertain }))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('Whatever transactions do to a blob', () => {
  test('it has the content that a field would have, and no other file is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aTransaction, { maxLength: 5 }), async (transactions) => {
        const directory = await directories.create()
        const db = await ObjectDatabase.open(directory)
        try {
          await db.transaction((context) => void aPhotoIn(context))
          let text = ''
          for (const transaction of transactions) {
            text = await run(db, text, transaction)
            db.cacheClear()
            const read = await db.view((context) => textOf(photoOf(context)))
            if (read !== text) throw new Error(`${read}, not ${text}`)
            await filesSettled(directory, 1)
          }
        } finally {
          await db.close()
        }
      }),
      { numRuns: 25 },
    )
  })
})
