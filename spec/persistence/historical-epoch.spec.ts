import { describe, expect, test } from '@jest/globals'
import { NODE_LAYOUT } from '../../lib/persistence/class-table.js'
import { CommittedState } from '../../lib/persistence/committed-state.js'
import { HistoricalEpoch } from '../../lib/persistence/historical-epoch.js'
import type { Oid, StorageSnapshot, Tid } from '../../lib/storage/index.js'

function anEpoch(budgetBytes: number) {
  const closed: boolean[] = []
  const snapshot = { tid: 7 as Tid, close: () => closed.push(true) } as unknown as StorageSnapshot
  return { epoch: new HistoricalEpoch(snapshot, budgetBytes), closed }
}

const aState = (oid: number) =>
  new CommittedState(oid as Oid, 3 as Tid, { ...NODE_LAYOUT, storedName: 'spec' }, [], 100)

describe('Historical epoch', () => {
  test('sees what its snapshot sees, and says that it is not the newest', () => {
    const { epoch } = anEpoch(1_000_000)
    expect([epoch.tid, epoch.isHistorical]).toEqual([7, true])
  })

  test('keeps what was read', () => {
    const { epoch } = anEpoch(1_000_000)
    const state = aState(1)
    epoch.keep(state)
    expect(epoch.stateOf(1 as Oid)).toBe(state)
    expect(epoch.stateOf(2 as Oid)).toBeUndefined()
  })

  test('keeps no more than its budget: what was read first goes first', () => {
    const { epoch } = anEpoch(aState(0).bytes * 10)
    for (let oid = 0; oid < 100; oid++) epoch.keep(aState(oid))
    const kept = Array.from({ length: 100 }, (_, oid) => oid).filter((oid) =>
      epoch.stateOf(oid as Oid),
    )
    expect(kept.length).toBeLessThanOrEqual(10)
    expect(kept).toContain(99)
  })

  test('closes its snapshot', () => {
    const { epoch, closed } = anEpoch(1000)
    epoch.close()
    expect(closed).toEqual([true])
  })
})
