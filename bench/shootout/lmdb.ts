import { packagePeer } from '../peers/package-peer.js'
import { KeyedContender, type KeyedStore } from './keyed-store.js'

/** What we use of the package `lmdb`. */
interface Lmdb {
  open(options: object): {
    get(key: number): Uint8Array | undefined
    put(key: number, value: Uint8Array): unknown
    transactionSync(work: () => void): void
    close(): Promise<void>
  }
}

const VERSION = '3.5.6'

/** @throws NotAvailableError */
export async function lmdb(): Promise<KeyedContender> {
  const { open } = (await packagePeer('lmdb', VERSION)) as Lmdb
  return new KeyedContender('lmdb', `lmdb ${VERSION}`, (path, durability): KeyedStore => {
    const noSync = durability === 'relaxed'
    // Without overlapping a commit is on the disk when it returns.
    const database = open({ path, encoding: 'binary', noSync, overlappingSync: false })
    return {
      put(first, values) {
        database.transactionSync(() => {
          values.forEach((value, at) => void database.put(first + at, value))
        })
      },
      readAll(count, use) {
        for (let at = 0; at < count; at++) use(database.get(at) as Uint8Array)
      },
      close: () => database.close(),
    }
  })
}
