import { describe, expect, test } from '@jest/globals'
import { type DiskContents, DiskModel, type Luck } from '../support/crash/disk-model.js'
import { Random } from '../support/crash/random.js'
import type { FileEvent } from '../support/crash/trace.js'

let syncs = 0
const create = (path: string): FileEvent => ({ kind: 'create', path })
const unlink = (path: string): FileEvent => ({ kind: 'unlink', path })
const rename = (path: string, to: string): FileEvent => ({ kind: 'rename', path, to })
const write = (path: string, text: string): FileEvent => ({
  kind: 'write',
  path,
  offset: -1,
  bytes: Buffer.from(text),
})
const sync = (path: string): FileEvent[] => {
  const id = ++syncs
  return [
    { kind: 'syncBegin', path, id },
    { kind: 'syncEnd', path, id },
  ]
}

function diskAfter(events: readonly FileEvent[], before: DiskContents = new Map()): DiskModel {
  const disk = new DiskModel(before)
  for (const event of events) disk.apply(event)
  return disk
}

function lost(disk: DiskModel, luck: Luck = 'synced', seed = 1): Record<string, string> {
  return plain(disk.afterPowerLoss(luck, new Random(seed)))
}

const plain = (contents: DiskContents): Record<string, string> =>
  Object.fromEntries([...contents].map(([path, bytes]) => [path, String(bytes)]))

/** All that can be left, over many throws of the dice. */
function possible(disk: DiskModel, luck: Luck = 'some'): string[] {
  const all = Array.from({ length: 300 }, (_, seed) => JSON.stringify(lost(disk, luck, seed)))
  return [...new Set(all)].sort()
}

describe('A disk without power', () => {
  test('keeps what was there before', () => {
    expect(lost(diskAfter([], new Map([['a', Buffer.from('old')]])))).toEqual({ a: 'old' })
  })

  test('forgets a file that nothing was synced after', () => {
    expect(lost(diskAfter([create('a'), write('a', 'new')]))).toEqual({})
  })

  test('keeps of a file what was there when its last sync began', () => {
    const [begin, end] = sync('a') as [FileEvent, FileEvent]
    const events = [create('a'), write('a', 'one '), begin, write('a', 'two'), end]
    expect(lost(diskAfter(events))).toEqual({ a: 'one ' })
    expect(plain(diskAfter(events).contents())).toEqual({ a: 'one two' })
  })

  test('keeps no bytes of a file because another was synced, but its name', () => {
    const events = [create('a'), write('a', 'new'), create('b'), ...sync('b')]
    expect(lost(diskAfter(events))).toEqual({ a: '', b: '' })
  })

  test('undoes names from the newest on, never one before another', () => {
    const before = new Map([['current', Buffer.from('old')]])
    const events = [
      create('draft'),
      write('draft', 'new'),
      ...sync('draft'),
      rename('draft', 'current'),
      unlink('other'),
    ]
    const disk = diskAfter(events, before.set('other', Buffer.from('!')))
    expect(possible(disk)).toEqual([
      '{"current":"new","other":"!"}',
      '{"current":"new"}',
      '{"current":"old","other":"!","draft":"new"}',
    ])
  })

  test('keeps names that were changed before a directory was synced', () => {
    const events = [create('a'), ...sync('a'), rename('a', 'b'), ...sync('.'), unlink('b')]
    expect(lost(diskAfter(events))).toEqual({ b: '' })
  })

  test('may keep any beginning of what was not synced', () => {
    const disk = diskAfter([create('a'), write('a', 'xy'), ...sync('a'), write('a', 'ab')])
    expect(possible(disk).map((one) => JSON.parse(one).a)).toEqual(['xy', 'xya', 'xyab'].sort())
  })

  test('may hold zeros in place of a page that was not synced', () => {
    const page = 'p'.repeat(4096)
    const disk = diskAfter([create('a'), write('a', 'xy'), ...sync('a'), write('a', page)])
    const lengths = possible(disk, 'lostPage').map((one) =>
      JSON.parse(one).a.replaceAll('\u0000', ''),
    )
    expect(lengths).toContain('xy')
    expect(lengths).toContain('xypp')
  })
})
