import { packagePeer } from '../peers/package-peer.js'
import { KeyedContender, type KeyedStore } from './keyed-store.js'

/** What we use of the package `better-sqlite3`. */
type Sqlite = new (
  file: string,
) => {
  pragma(text: string): unknown
  exec(text: string): void
  prepare(text: string): {
    run(...values: unknown[]): void
    get(...values: unknown[]): unknown
    pluck(): { get(...values: unknown[]): unknown }
  }
  transaction<Values extends unknown[]>(
    work: (...values: Values) => void,
  ): (...values: Values) => void
  close(): void
}

const VERSION = '12.11.1'

/** @throws NotAvailableError */
export async function sqlite(): Promise<KeyedContender> {
  const Database = (await packagePeer('better-sqlite3', VERSION)) as Sqlite
  return new KeyedContender(
    'sqlite',
    `better-sqlite3 ${VERSION}`,
    (file, durability): KeyedStore => {
      const database = new Database(file)
      database.pragma('journal_mode = WAL')
      database.pragma(`synchronous = ${durability === 'sync' ? 'FULL' : 'NORMAL'}`)
      database.exec('CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, state BLOB)')
      const replace = database.prepare('INSERT OR REPLACE INTO items VALUES (?, ?)')
      const select = database.prepare('SELECT state FROM items WHERE id = ?').pluck()
      return {
        put: database.transaction((first: number, values: readonly Uint8Array[]) => {
          values.forEach((value, at) => void replace.run(first + at, value))
        }),
        readAll: database.transaction((count: number, use: (value: Uint8Array) => void) => {
          for (let at = 0; at < count; at++) use(select.get(at) as Uint8Array)
        }),
        close: () => database.close(),
      }
    },
  )
}
