import { beforeEach, describe, expect, test } from '@jest/globals'
import { CommitLinks } from '../../lib/storage/commit-links.js'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { Generation } from '../../lib/storage/generation.js'
import { createMemoryDatabase, NO_TID, nextLink, toOid, toTid } from '../../lib/storage/index.js'
import { objectKeys } from '../../lib/storage/key-space.js'
import { Overlay } from '../../lib/storage/overlay.js'
import { NO_POSITION, type Position } from '../../lib/storage/rows.js'
import { aCommit } from '../support/storage-builders.js'

let database = createMemoryDatabase()

beforeEach(async () => {
  database = createMemoryDatabase()
  await database.open()
})

/** Objects 1 and 2 are there, since commits 1 and 2; 3 was removed in commit 2. */
function aGeneration(): { generation: Generation; position: Position } {
  const overlay = new Overlay(NO_TID)
  let position = NO_POSITION
  for (const commit of [aCommit(1, [1, 2, 3]), { ...aCommit(2, [2]), removed: [toOid(3)] }]) {
    const links = new CommitLinks(new Generation(database, overlay), position.tid, NO_TID)
    const row = CommitRow.encode(commit, position, links.linkOf)
    overlay.add(row)
    position = row.position
  }
  return { generation: new Generation(database, overlay), position }
}

describe('The link of a record that comes without one', () => {
  test('leads to the record that it replaces', () => {
    const { generation } = aGeneration()
    const links = new CommitLinks(generation, toTid(2), NO_TID)
    const linkOf = (oid: number) => links.linkOf(toOid(oid))
    expect([linkOf(1).previousTid, linkOf(2).previousTid, linkOf(2).number]).toEqual([1, 2, 2])
    expect(linkOf(9)).toEqual(nextLink(undefined))
  })

  test('leads to what an earlier commit of the same write wrote', () => {
    const { generation, position } = aGeneration()
    const links = new CommitLinks(generation, toTid(2), NO_TID)
    const row = CommitRow.encode(aCommit(3, [1, 9]), position, links.linkOf)
    links.add(row)
    expect(links.linkOf(toOid(1))).toEqual({ previousTid: 3, number: 2, farTid: 1 })
    expect(links.linkOf(toOid(9))).toEqual({ previousTid: 3, number: 1, farTid: 3 })
  })

  test('leads to a removal, while that can be asked for', () => {
    const { generation } = aGeneration()
    const linkFrom = (historyFrom: number) =>
      new CommitLinks(generation, toTid(2), toTid(historyFrom)).linkOf(toOid(3)).previousTid
    expect([linkFrom(1), linkFrom(2)]).toEqual([2, NO_TID])
  })

  test('begins anew where the record before is damaged', async () => {
    await database.put(objectKeys.encode(toOid(5)), Buffer.from('damaged'))
    const generation = new Generation(database, new Overlay(toTid(2)))
    const links = new CommitLinks(generation, toTid(2), NO_TID)
    expect(links.linkOf(toOid(5))).toEqual(nextLink(undefined))
  })
})
