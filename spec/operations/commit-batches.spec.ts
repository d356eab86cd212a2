import { expect, test } from '@jest/globals'
import { bytesOf, commitBatches } from '../../lib/operations/commit-batches.js'
import { aCommit } from '../support/storage-builders.js'

test('Commits are batched by number and by bytes, in order and none left out', async () => {
  const small = Array.from({ length: 2500 }, (_, index) => aCommit(index + 1, [1]))
  const sizes: number[] = []
  const tids: number[] = []
  for await (const batch of commitBatches(small)) {
    sizes.push(batch.length)
    for (const { tid } of batch) tids.push(tid)
  }
  expect(sizes).toEqual([1000, 1000, 500])
  expect(tids).toEqual(small.map(({ tid }) => tid))
  const large = [1, 2, 3].map((tid) => aCommit(tid, [1], { state: 'x'.repeat(3_000_000) }))
  const batches: number[] = []
  for await (const batch of commitBatches(large)) batches.push(batch.length)
  expect(batches).toEqual([2, 1])
})

test('The bytes of a commit are those of its states', () => {
  expect(bytesOf(aCommit(1, [1, 2], { state: 'abc' }))).toBe(6)
})
