import { describe, expect, test } from '@jest/globals'
import {
  defineInterface,
  implementedBy,
  implementer,
  MemoryRegistrationTable,
  type Registration,
  type RegistrationTable,
  type StampSource,
} from '../../lib/component/index.js'
import { LookupCache } from '../../lib/component/lookup-cache.js'

const IMailer = defineInterface('test.IMailer')

function aRow(component: string): Registration {
  return { kind: 'utility', required: [], provided: IMailer, name: '', component, info: '' }
}

/** A table whose rows and stamp change without anybody being told, and that counts its searches. */
class ForeignTable implements RegistrationTable {
  stamp: unknown = 'first'
  row = aRow('old')
  searches = 0
  readonly watch?: StampSource

  constructor(watch?: StampSource) {
    if (watch !== undefined) this.watch = watch
  }

  candidates(): readonly Registration[] {
    this.searches += 1
    return [this.row]
  }

  add(): void {}
  remove(): void {}

  [Symbol.iterator](): Iterator<Registration> {
    return [this.row][Symbol.iterator]()
  }
}

function find(cache: LookupCache): unknown {
  return cache.find('utility', [], IMailer, '')[0]?.component
}

describe('Lookup cache', () => {
  test('searches once for the same question', () => {
    const table = new ForeignTable()
    const cache = new LookupCache(() => [table])
    expect([find(cache), find(cache), find(cache)]).toEqual(['old', 'old', 'old'])
    expect(table.searches).toBe(1)
  })

  test('remembers that there is nothing', () => {
    const table = new ForeignTable()
    const cache = new LookupCache(() => [table])
    const lookups = [1, 2].map(() => cache.find('utility', [], IMailer, 'absent'))
    expect(lookups).toEqual([[], []])
    expect(table.searches).toBe(1)
  })

  test('notices a table whose stamp changes by itself', () => {
    const table = new ForeignTable()
    const cache = new LookupCache(() => [new MemoryRegistrationTable(), table])
    find(cache)
    table.row = aRow('new')
    table.stamp = 'second'
    expect(find(cache)).toBe('new')
  })

  test('asks only what the tables watch while that stands still', () => {
    const watch = { stamp: 1 }
    let reads = 0
    const tables = Array.from({ length: 100 }, () =>
      Object.defineProperty(new ForeignTable(watch), 'stamp', {
        get: () => {
          reads += 1
          return 'same'
        },
      }),
    )
    const cache = new LookupCache(() => tables)
    find(cache)
    const before = reads
    for (let times = 0; times < 10; times += 1) find(cache)
    expect(reads).toBe(before)
    watch.stamp = 2
    find(cache)
    expect(reads).toBe(before + 100)
    expect(tables[0]?.searches).toBe(1)
  })

  test('keeps its answers through changes elsewhere', () => {
    const table = new ForeignTable()
    const cache = new LookupCache(() => [table])
    find(cache)
    new MemoryRegistrationTable().add(aRow('elsewhere'))
    implementedBy(class {}).flattened()
    find(cache)
    expect(table.searches).toBe(1)
  })

  test('goes round the answers while a stamp is undefined, and comes back to them', () => {
    const table = new ForeignTable()
    const cache = new LookupCache(() => [table])
    find(cache)
    table.stamp = undefined
    table.row = aRow('own change')
    expect([find(cache), find(cache)]).toEqual(['own change', 'own change'])
    expect(table.searches).toBe(3)
    table.stamp = 'first'
    expect(find(cache)).toBe('old')
    expect(table.searches).toBe(3)
  })

  test('looks behind each time while what is watched has no stamp', () => {
    const watch: { stamp: unknown } = { stamp: undefined }
    const table = new ForeignTable(watch)
    const cache = new LookupCache(() => [table])
    find(cache)
    find(cache)
    expect(table.searches).toBe(1)
    table.stamp = 'second'
    table.row = aRow('new')
    expect(find(cache)).toBe('new')
  })

  test('forgets when a class declares more', () => {
    class Office {}
    const ofOffice = implementedBy(Office)
    const table = new MemoryRegistrationTable()
    table.add({ ...aRow('adapter'), kind: 'adapter', required: [IMailer] })
    const cache = new LookupCache(() => [table])
    const adapters = (): unknown[] => cache.find('adapter', [ofOffice], IMailer, '').slice()
    expect(adapters()).toHaveLength(0)
    implementer(IMailer)(Office)
    expect(adapters()).toHaveLength(1)
  })

  test('leaves behind what was found while the rows changed', () => {
    const table = new MemoryRegistrationTable()
    const old = aRow('old')
    table.add(old)
    const changing: RegistrationTable = {
      stamp: 0,
      candidates: () => {
        if ([...table].includes(old)) {
          table.remove(old)
          table.add(aRow('new'))
        }
        return []
      },
      add() {},
      remove() {},
      [Symbol.iterator]: () => [][Symbol.iterator](),
    }
    const cache = new LookupCache(() => [changing, table])
    find(cache)
    expect(find(cache)).toBe('new')
  })

  test('stays right beyond the number of answers it keeps', () => {
    const table = new ForeignTable()
    const cache = new LookupCache(() => [table])
    for (let index = 0; index <= 50_000; index += 1) {
      cache.find('utility', [], IMailer, `name ${index}`)
    }
    expect(find(cache)).toBe('old')
  })
})
