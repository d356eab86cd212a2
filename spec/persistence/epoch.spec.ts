import { describe, expect, test } from '@jest/globals'
import { Epochs } from '../../lib/persistence/epoch.js'
import { createMemoryStorage, toOid, toTid } from '../../lib/storage/index.js'
import { aCommit, codeThrownBy } from '../support/storage-builders.js'

async function someEpochs() {
  const storage = createMemoryStorage()
  await storage.open()
  const epochs = new Epochs(storage)
  const commit = async (tid: number): Promise<void> => {
    await storage.write([aCommit(tid, [1])], 'sync')
    epochs.publish(toTid(tid), tid * 1000)
  }
  return { epochs, commit }
}

const textAt = (epoch: ReturnType<Epochs['acquire']>): string =>
  Buffer.from(epoch.snapshot.load(toOid(1))!.state).toString()

describe('Epochs', () => {
  test('all who begin between two commits share one', async () => {
    const { epochs, commit } = await someEpochs()
    await commit(1)
    const [one, other] = [epochs.acquire(), epochs.acquire()]
    await commit(2)
    expect(one).toBe(other)
    expect(epochs.acquire()).not.toBe(one)
    expect([textAt(one), textAt(epochs.current)]).toEqual(['state of 1', 'state of 2'])
  })

  test('one is closed when its last reader ends', async () => {
    const { epochs, commit } = await someEpochs()
    await commit(1)
    const epoch = epochs.acquire()
    epochs.acquire()
    await commit(2)
    epochs.release(epoch)
    expect([textAt(epoch), epochs.oldestTid]).toEqual(['state of 1', 1])
    epochs.release(epoch)
    expect([await codeThrownBy(() => textAt(epoch)), epochs.oldestTid]).toEqual([
      'STORAGE_CLOSED',
      2,
    ])
    expect(() => epochs.release(epoch)).toThrow('as often as acquired')
  })

  test('the oldest is behind since the commit that came after it', async () => {
    const { epochs, commit } = await someEpochs()
    await commit(1)
    const epoch = epochs.acquire()
    expect(epochs.msBehind(9000)).toBe(0)
    await commit(2)
    await commit(3)
    expect([epochs.msBehind(9000), epochs.msBehind(1999)]).toEqual([7000, 0])
    epochs.release(epoch)
    expect(epochs.msBehind(9000)).toBe(0)
  })

  test('the current one stays open without readers', async () => {
    const { epochs, commit } = await someEpochs()
    await commit(1)
    epochs.release(epochs.acquire())
    expect(textAt(epochs.current)).toBe('state of 1')
    epochs.close()
    expect(await codeThrownBy(() => textAt(epochs.current))).toBe('STORAGE_CLOSED')
  })

  test('who waits for the next one is told at its publication, and at the end', async () => {
    const { epochs, commit } = await someEpochs()
    const told: string[] = []
    const waiting = epochs.next().then(() => told.push(`commit ${epochs.current.tid}`))
    expect(told).toEqual([])
    await commit(1)
    await waiting
    const ending = epochs.next().then(() => told.push('end'))
    epochs.close()
    await ending
    expect(told).toEqual(['commit 1', 'end'])
  })

  test('one is the tid that was published', async () => {
    const { epochs } = await someEpochs()
    expect(() => epochs.publish(toTid(7), 0)).toThrow('ends with it')
  })
})
