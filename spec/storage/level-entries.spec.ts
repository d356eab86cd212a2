import { describe, expect, test } from '@jest/globals'
import { createMemoryDatabase } from '../../lib/storage/index.js'
import { entriesOf, entryPagesOf } from '../../lib/storage/level-entries.js'

async function aDatabase(size: number) {
  const database = createMemoryDatabase()
  await database.open()
  const key = (n: number): Buffer => Buffer.from([n >> 8, n & 255])
  for (let n = 0; n < size; n++) await database.put(key(n), key(n))
  return { database, key }
}

const numbersOf = async (entries: ReturnType<typeof entriesOf>): Promise<number[]> => {
  const numbers: number[] = []
  for await (const [key] of entries) numbers.push(key.readUInt16BE())
  return numbers
}

describe('The entries of a range', () => {
  test('come in order, in as many steps as it takes', async () => {
    const { database } = await aDatabase(2500)
    expect(await numbersOf(entriesOf(database, {}))).toEqual(
      Array.from({ length: 2500 }, (_, n) => n),
    )
  })

  test('come few at a time, so that other work gets its turn', async () => {
    const { database } = await aDatabase(300)
    const sizes: number[] = []
    for await (const page of entryPagesOf(database, {})) sizes.push(page.length)
    expect(sizes).toEqual([128, 128, 44])
  })

  test('are those between its ends, also backwards', async () => {
    const { database, key } = await aDatabase(10)
    expect(await numbersOf(entriesOf(database, { gt: key(3), lte: key(6) }))).toEqual([4, 5, 6])
    expect(await numbersOf(entriesOf(database, { gte: key(7), reverse: true }))).toEqual([9, 8, 7])
  })

  test('are those of a snapshot', async () => {
    const { database, key } = await aDatabase(3)
    const snapshot = database.snapshot()
    await database.del(key(1))
    expect(await numbersOf(entriesOf(database, {}, snapshot))).toEqual([0, 1, 2])
    expect(await numbersOf(entriesOf(database, {}))).toEqual([0, 2])
    await snapshot.close()
  })

  test('nothing stays open when one stops early', async () => {
    const { database } = await aDatabase(3)
    for await (const _ of entriesOf(database, {})) break
    await database.close()
    expect(database.status).toBe('closed')
  })
})
