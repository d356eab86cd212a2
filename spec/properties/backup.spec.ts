import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { backup, copyStorage, restore, verifyBackup } from '../../lib/operations/index.js'
import { type Storage, toTid } from '../../lib/storage/index.js'
import {
  aStorage,
  commitTo,
  contentsOf,
  forgetCommits,
  headOf,
} from '../support/backup-builders.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

type Step =
  | {
      readonly kind: 'commit'
      readonly oids: readonly number[]
      readonly removed: readonly number[]
    }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'forget' }
  | { readonly kind: 'backup'; readonly full: boolean }

const oids = fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 5 })
const commits = fc.record({ kind: fc.constant('commit' as const), oids, removed: oids })
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: commits, weight: 6 },
  { arbitrary: fc.constant({ kind: 'checkpoint' as const }), weight: 1 },
  { arbitrary: fc.constant({ kind: 'forget' as const }), weight: 2 },
  {
    arbitrary: fc.record({
      kind: fc.constant('backup' as const),
      full: fc.nat({ max: 4 }).map((n) => n === 0),
    }),
    weight: 3,
  },
)

/** A database, what it was at each commit, and where it can be restored. */
class History {
  readonly contents = new Map<number, unknown>()
  readonly backedUp = new Set<number>()
  readonly #live = new Set<number>()
  readonly #storage: Storage
  readonly #place: string

  constructor(storage: Storage, place: string) {
    this.#storage = storage
    this.#place = place
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'commit') await this.#commit(step)
    else if (step.kind === 'checkpoint') await this.#storage.checkpoint()
    else if (step.kind === 'forget') await this.#forget()
    else await this.backup(step.full)
  }

  async backup(full: boolean): Promise<void> {
    if (this.#storage.lastTid === 0) return
    this.backedUp.add((await backup(this.#storage, this.#place, { full })).tid)
  }

  async #commit({ oids, removed }: Extract<Step, { kind: 'commit' }>): Promise<void> {
    const gone = removed.filter((oid) => this.#live.has(oid) && !oids.includes(oid))
    await commitTo(this.#storage, oids, { removed: gone })
    for (const oid of oids) this.#live.add(oid)
    for (const oid of gone) this.#live.delete(oid)
    await this.#note()
  }

  async #forget(): Promise<void> {
    if (this.#storage.historyFrom !== undefined || this.#storage.lastTid === 0) return
    await forgetCommits(this.#storage)
    this.#live.add(0)
    await this.#note()
  }

  async #note(): Promise<void> {
    this.contents.set(this.#storage.lastTid, await contentsOf(this.#storage))
  }
}

describe('For any history and any backups in between', () => {
  const run = (keepsHistory: boolean) =>
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const place = join(await directories.create(), 'backups')
      const source = await aStorage(keepsHistory ? { history: 'all' } : { forgets: true })
      const history = new History(source, place)
      for (const step of [...steps, { kind: 'commit', oids: [0], removed: [] } as const]) {
        await history.take(step)
      }
      await history.backup(false)
      expect(await verifyBackup(place)).toMatchObject({ ok: true })
      for (const [tid, expected] of history.contents) {
        const target = await aStorage({ history: keepsHistory ? 'all' : 'off' })
        const restoring = restore(place, target, { upTo: toTid(tid) })
        const reached = await restoring.then(
          (report) => report.tid,
          () => undefined,
        )
        if (keepsHistory || history.backedUp.has(tid)) expect(reached).toBe(tid)
        if (reached === tid) expect(await contentsOf(target)).toEqual(expected)
        if (keepsHistory && reached === source.lastTid) {
          for (const [past, then] of history.contents) {
            expect(await contentsOf(target, past)).toEqual(then)
          }
        }
        if (reached === source.lastTid) expect(headOf(target)).toEqual(headOf(source))
        await target.close()
      }
      await source.close()
      await directories.removeAll()
    })

  test('each backup restores the database as it was then', async () => {
    await fc.assert(run(false), { numRuns: 60 })
  })

  test('with history, each commit can be restored, with the history up to there', async () => {
    await fc.assert(run(true), { numRuns: 15 })
  })
})

describe('For any history', () => {
  test('a copy that is continued now and then is what the source is', async () => {
    const part = fc.array(commits, { maxLength: 8 })
    const property = fc.asyncProperty(fc.array(part), fc.boolean(), async (parts, keeps) => {
      const history = keeps ? 'all' : 'off'
      const [source, target] = [await aStorage({ history }), await aStorage({ history })]
      const model = new History(source, '')
      for (const steps of parts) {
        for (const step of steps) await model.take(step)
        await copyStorage(source, target)
        expect(headOf(target)).toEqual(headOf(source))
        expect(await contentsOf(target)).toEqual(await contentsOf(source))
      }
      for (const [tid, then] of keeps ? model.contents : []) {
        expect(await contentsOf(target, tid)).toEqual(then)
      }
    })
    await fc.assert(property, { numRuns: 25 })
  })
})
