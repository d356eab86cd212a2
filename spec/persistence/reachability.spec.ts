import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Reachability } from '../../lib/persistence/reachability.js'
import { TimeSlice } from '../../lib/persistence/time-slice.js'
import { type Oid, type StorageRecord, toOid, toTid } from '../../lib/storage/index.js'

/** A graph: each number's edges. */
type Graph = readonly (readonly number[])[]

const recordOf = (oid: number): StorageRecord => ({
  oid: toOid(oid),
  tid: toTid(1),
  classId: 1,
  state: Buffer.alloc(0),
})

function reachabilityIn(graph: Graph) {
  const loaded: number[] = []
  const reachability = new Reachability({
    load: (oid) => {
      loaded.push(oid)
      return graph[oid] === undefined ? undefined : recordOf(oid)
    },
    referencesOf: (oid) => (graph[oid] ?? []) as Oid[],
  })
  return { reachability, loaded }
}

function reachedByHand(graph: Graph, roots: readonly number[]): number[] {
  const reached = new Set<number>(roots)
  for (const oid of reached) for (const next of graph[oid] ?? []) reached.add(next)
  return [...reached].sort((one, other) => one - other)
}

const aGraph = fc.integer({ min: 1, max: 60 }).chain((size) =>
  fc.array(fc.array(fc.nat({ max: size }), { maxLength: 4 }), {
    minLength: size,
    maxLength: size,
  }),
)

describe('Reachability', () => {
  test('finds what a walk by hand finds, with and without a sweep before', async () => {
    await fc.assert(
      fc.asyncProperty(aGraph, fc.boolean(), async (graph, sweeps) => {
        const { reachability } = reachabilityIn(graph)
        reachability.reach(toOid(0))
        if (sweeps) for (const oid of graph.keys()) reachability.pass(recordOf(oid))
        await reachability.settle(new TimeSlice())
        expect([...reachability.reached]).toEqual(reachedByHand(graph, [0]))
        expect(reachability.pending).toBe(0)
      }),
    )
  })

  test('loads nothing that a sweep came by after it was reached', async () => {
    const { reachability, loaded } = reachabilityIn([[1], [2], [3], []])
    reachability.reach(toOid(0))
    for (const oid of [0, 1, 2, 3]) reachability.pass(recordOf(oid))
    await reachability.settle(new TimeSlice())
    expect(loaded).toEqual([])
  })

  test('a long way back through falling oids is found', async () => {
    const size = 70_000
    const graph = Array.from({ length: size }, (_, oid) => (oid > 0 ? [oid - 1] : []))
    const { reachability } = reachabilityIn(graph)
    reachability.reach(toOid(size - 1))
    await reachability.settle(new TimeSlice())
    expect(reachability.size).toBe(size)
  })
})
