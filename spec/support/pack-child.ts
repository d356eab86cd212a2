/**
 * The other process of the spec about killed packs: `pack-child.ts <directory>` keeps a ring of offices
 * that it fills, empties and packs at the same time, until it is killed. Prints a line for each pack
 * that has begun, and one for each that has ended.
 */
import { BTree, ObjectDatabase, type Persistent } from '../../lib/persistence/index.js'
import { Employee } from './persistence-builders.js'

const [directory] = process.argv.slice(2) as [string]
const OFFICES = 20

type Office = BTree<number, Persistent>

async function main(): Promise<void> {
  const db = await ObjectDatabase.open(directory, { level: { writeBufferBytes: 64 * 1024 } })
  void pack(db)
  for (let round = 0; ; round++) {
    await db.transaction(({ rootMapping }) => {
      const office: Office = new BTree()
      for (let number = 0; number < 50; number++) {
        office.set(number, new Employee({ title: `${round} ${number}` }))
      }
      rootMapping.set(`office ${round % OFFICES}`, office)
    })
  }
}

async function pack(db: ObjectDatabase): Promise<void> {
  for (;;) {
    console.log('begun')
    await db.pack({ graceMs: 0 })
    console.log('ended')
  }
}

void main()
