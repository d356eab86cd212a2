/**
 * The other process of persistence specs: `persistence-child.ts write <directory>` commits one
 * employee after another, eight at a time, until it is killed, and prints how many are acknowledged
 * without a gap.
 */
import { ObjectDatabase } from '../../lib/persistence/index.js'
import { Employee } from './persistence-builders.js'

const [, directory] = process.argv.slice(2) as [string, string]
const db = ObjectDatabase.open(directory)

async function main(): Promise<void> {
  for (let count = 0; ; ) {
    const batch = Array.from({ length: 8 }, () => add(++count))
    await Promise.all(batch)
    console.log(count)
  }
}

async function add(n: number): Promise<void> {
  const name = String(n).padStart(8, '0')
  await (await db).transaction(
    ({ rootMapping }) => void rootMapping.set(name, new Employee({ title: name })),
  )
}

void main()
