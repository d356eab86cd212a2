import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { backupChain } from '../../lib/operations/backup-chain.js'
import { backupsIn } from '../../lib/operations/backup-directory.js'
import { backup } from '../../lib/operations/index.js'
import { toTid } from '../../lib/storage/index.js'
import { aStorage, commitTo } from '../support/backup-builders.js'
import { codeThrownBy, TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

let place: string
beforeEach(async () => {
  place = await directories.create()
  const source = await aStorage()
  for (const full of [true, false, false, true, false]) {
    await commitTo(source, [0])
    await backup(source, place, { full })
  }
})

async function numbersFor(until?: number | Date): Promise<number[]> {
  const upTo = typeof until === 'number' ? toTid(until) : until
  const chain = await backupChain(await backupsIn(place), upTo)
  return chain.map(({ manifest }) => manifest.number)
}

test('A chain begins with a full backup and goes as far as is asked for', async () => {
  expect(await numbersFor()).toEqual([4, 5])
  expect(await numbersFor(5)).toEqual([4, 5])
  expect(await numbersFor(3)).toEqual([1, 2, 3])
  expect(await numbersFor(1)).toEqual([1, 2])
  expect(await numbersFor(new Date(4000))).toEqual([4, 5])
  expect(await numbersFor(new Date(2999))).toEqual([1, 2, 3])
})

test('A chain is refused when a part is gone, or nothing is as old', async () => {
  const [, second] = await backupsIn(place)
  await rm((second as { path: string }).path, { recursive: true })
  expect(await numbersFor()).toEqual([4, 5])
  expect(await codeThrownBy(() => numbersFor(3))).toBe('OPERATIONS_DAMAGED_BACKUP')
  expect(await codeThrownBy(() => numbersFor(0))).toBe('OPERATIONS_NO_BACKUP')
})
