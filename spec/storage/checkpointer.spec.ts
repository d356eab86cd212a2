import { describe, expect, test } from '@jest/globals'
import { Checkpointer, type CheckpointerOptions } from '../../lib/storage/checkpointer.js'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { createMemoryDatabase, NO_TID, nextLink, toOid, toTid } from '../../lib/storage/index.js'
import { CHECKPOINT_KEY, commitKeys } from '../../lib/storage/key-space.js'
import { Overlay } from '../../lib/storage/overlay.js'
import { decodeCheckpointRow, NO_POSITION } from '../../lib/storage/rows.js'
import { aCommit, codeThrownBy } from '../support/storage-builders.js'

async function aCheckpointer(options: Partial<CheckpointerOptions> = {}) {
  const database = createMemoryDatabase()
  await database.open()
  const failures: unknown[] = []
  const row = {
    position: NO_POSITION,
    redoTid: NO_TID,
    historyFrom: undefined,
    session: undefined,
  }
  const checkpointer = new Checkpointer({
    database,
    row,
    overlay: new Overlay(NO_TID),
    history: undefined,
    readOnly: false,
    writeBufferBytes: 1000,
    checkpointBytes: 1_000_000,
    idleMs: 1_000_000,
    writesSettled: () => Promise.resolve(),
    onFailure: (error) => failures.push(error),
    ...options,
  })
  let before = NO_POSITION
  /** Commits that write object 1, and each an object of its own. */
  const commit = async (count: number, state = 'state'): Promise<void> => {
    const linkOf = checkpointer.historyFrom && (() => nextLink(undefined))
    const rows = Array.from({ length: count }, () => {
      const tid = before.tid + 1
      const row = CommitRow.encode(aCommit(tid, [1, tid + 1], { state }), before, linkOf)
      before = row.position
      return row
    })
    await checkpointer.append(rows, { sync: true })
  }
  const storedRow = () => decodeCheckpointRow(database.getSync(CHECKPOINT_KEY)!)
  const commitRows = async () => (await database.keys(commitKeys.range).all()).length
  return { database, checkpointer, commit, failures, storedRow, commitRows }
}

describe('Checkpoints', () => {
  test('bring commits to object rows and say so; the next snapshots read there', async () => {
    const { checkpointer, commit, storedRow } = await aCheckpointer()
    await commit(3)
    const { generation } = checkpointer
    expect(generation.overlay.lastTid).toBe(3)
    await checkpointer.checkpoint()
    expect(checkpointer.generation).not.toBe(generation)
    expect(checkpointer.generation.overlay).toMatchObject({ after: 3, bytes: 0 })
    expect(checkpointer.generation.recordAt(toOid(1), toTid(3))?.tid).toBe(3)
    expect(storedRow()).toMatchObject({ position: { tid: 3, highestOid: 4 }, redoTid: 0 })
  })

  test('write nothing when there is nothing new', async () => {
    const { database, checkpointer, commit } = await aCheckpointer()
    await checkpointer.checkpoint()
    expect(database.getSync(CHECKPOINT_KEY)).toBeUndefined()
    await commit(1)
    await checkpointer.checkpoint()
    const { generation } = checkpointer
    await checkpointer.checkpoint()
    expect(checkpointer.generation).toBe(generation)
  })

  test('name the session of LevelDB that all their rows were written in', async () => {
    const row = {
      position: NO_POSITION,
      redoTid: NO_TID,
      historyFrom: { tid: NO_TID, timeMs: 0 },
      session: 4,
    }
    const { checkpointer, commit, storedRow } = await aCheckpointer({ row, session: 5 })
    await commit(1)
    await checkpointer.prune(
      { tid: toTid(1), timeMs: 0 },
      () => undefined,
      () => undefined,
    )
    expect(storedRow().session).toBe(4)
    await checkpointer.checkpoint()
    expect(storedRow().session).toBe(5)
  })

  test('remove rows that the session before left, also when nothing was committed since', async () => {
    const { database, checkpointer, commit, storedRow } = await aCheckpointer()
    await commit(3)
    await checkpointer.checkpoint()
    const row = storedRow()
    expect(row.redoTid).toBe(0)
    const again = await aCheckpointer({ database, row, overlay: new Overlay(toTid(3)) })
    await again.checkpointer.checkpoint()
    expect(storedRow()).toMatchObject({ redoTid: 3, position: row.position })
    expect(await database.keys(commitKeys.range).all()).toEqual([])
    const { generation } = again.checkpointer
    await again.checkpointer.checkpoint()
    expect(again.checkpointer.generation).toBe(generation)
  })

  test('show commits that come meanwhile, before and after they end', async () => {
    const { checkpointer, commit, storedRow } = await aCheckpointer()
    await commit(3)
    const { generation } = checkpointer
    const done = checkpointer.checkpoint()
    await new Promise(setImmediate)
    await commit(2)
    expect(generation.recordAt(toOid(1), toTid(5))?.tid).toBe(5)
    await done
    expect(checkpointer.generation.overlay).toMatchObject({ after: 3, lastTid: 5 })
    expect(storedRow().position.tid).toBe(3)
  })

  test('come by themselves once enough was committed', async () => {
    const { checkpointer, commit, storedRow } = await aCheckpointer({ checkpointBytes: 1000 })
    const { generation } = checkpointer
    await commit(20)
    while (checkpointer.generation === generation) await new Promise(setImmediate)
    expect(storedRow().position.tid).toBe(20)
  })

  test('hold commits up that come too fast', async () => {
    const { checkpointer, commit } = await aCheckpointer({ checkpointBytes: 1000 })
    await commit(20)
    await new Promise(setImmediate)
    expect(checkpointer.tooFarBehind).toBeUndefined()
    await commit(1, 'x'.repeat(3000))
    await checkpointer.tooFarBehind
    await checkpointer.checkpoint()
    expect(checkpointer.tooFarBehind).toBeUndefined()
  })

  test('keep up with large commits, by larger steps', async () => {
    const { database, checkpointer, commit } = await aCheckpointer()
    await commit(4000)
    const sizes: number[] = []
    const batch = database.batch.bind(database) as () => ReturnType<typeof database.batch>
    database.batch = (() => {
      const made = batch()
      const write = made.write.bind(made)
      made.write = ((options: object) => {
        sizes.push(made.length)
        return write(options)
      }) as never
      return made
    }) as never
    const done = checkpointer.checkpoint()
    for (let step = 0; step < 2; step++) {
      await commit(1, 'x'.repeat(30_000))
      await new Promise(setImmediate)
    }
    await done
    expect(sizes[0]).toBe(257) // with a class row
    expect(Math.max(...sizes)).toBeGreaterThan(1000)
  })

  test('remove commit rows only when later writes have filled the logs', async () => {
    const { checkpointer, commit, commitRows, storedRow } = await aCheckpointer()
    await commit(10)
    await checkpointer.checkpoint()
    await commit(10)
    await checkpointer.checkpoint()
    expect([await commitRows(), storedRow().redoTid]).toEqual([20, 0])
    for (let fill = 0; fill < 6; fill++) await commit(1, 'x'.repeat(1000))
    await checkpointer.checkpoint()
    expect([await commitRows(), storedRow().redoTid]).toEqual([6, 20])
  })

  test('with history remove none that may be asked for', async () => {
    const historyFrom = { tid: NO_TID, timeMs: Number.NEGATIVE_INFINITY }
    const row = { position: NO_POSITION, redoTid: NO_TID, historyFrom, session: undefined }
    const { checkpointer, commit, commitRows } = await aCheckpointer({ row, history: 'all' })
    await commit(10)
    await checkpointer.checkpoint()
    for (let fill = 0; fill < 6; fill++) await commit(1, 'x'.repeat(1000))
    await checkpointer.checkpoint()
    expect([await commitRows(), checkpointer.redoTid]).toEqual([16, 10])
    const oldest = { tid: toTid(12), timeMs: 0 }
    const progress = await checkpointer.prune(
      oldest,
      () => undefined,
      () => undefined,
    )
    expect(progress).toEqual({ historyFrom: 12, transactions: 10, preserved: 1 })
    expect(await commitRows()).toBe(6)
  })

  test('need not wait until a long pruning is done', async () => {
    const historyFrom = { tid: NO_TID, timeMs: Number.NEGATIVE_INFINITY }
    const row = { position: NO_POSITION, redoTid: NO_TID, historyFrom, session: undefined }
    const { checkpointer, commit, commitRows } = await aCheckpointer({ row, history: 'all' })
    await commit(6_000)
    await checkpointer.checkpoint()
    for (let fill = 0; fill < 6; fill++) await commit(1, 'x'.repeat(1000))
    await checkpointer.checkpoint()
    await commit(1)
    const ended: string[] = []
    const oldest = { tid: toTid(6_000), timeMs: 0 }
    let checkpoint: Promise<unknown> | undefined
    await checkpointer.prune(
      oldest,
      () => {
        checkpoint ??= checkpointer.checkpoint().then(() => ended.push('checkpoint'))
      },
      () => undefined,
    )
    ended.push('pruning')
    await checkpoint
    expect(ended).toEqual(['checkpoint', 'pruning'])
    expect(await commitRows()).toBe(7)
  })

  test('are told of once when they fail, and are no longer made', async () => {
    const { database, checkpointer, commit, failures } = await aCheckpointer({
      checkpointBytes: 300,
    })
    const cause = new Error('IO error')
    const batch = database.batch.bind(database)
    await commit(1)
    database.batch = (() => {
      throw cause
    }) as never
    expect(await codeThrownBy(() => checkpointer.checkpoint())).toBe('Error: IO error')
    expect(failures).toEqual([cause])
    database.batch = batch
    await commit(10)
    await new Promise(setImmediate)
    expect(checkpointer.generation.overlay.after).toBe(NO_TID)
    expect(checkpointer.generation.recordAt(toOid(1), toTid(11))?.tid).toBe(11)
  })

  test('the last is made at the close, when the storage is sound', async () => {
    for (const isSound of [true, false]) {
      const { database, checkpointer, commit } = await aCheckpointer()
      await commit(1)
      await checkpointer.close({ isSound })
      expect(database.getSync(CHECKPOINT_KEY) !== undefined).toBe(isSound)
    }
  })
})
