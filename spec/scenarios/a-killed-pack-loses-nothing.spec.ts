import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from '@jest/globals'
import { verify } from '../../lib/operations/index.js'
import { type BTree, ObjectDatabase } from '../../lib/persistence/index.js'
import type { Employee } from '../support/persistence-builders.js'
import '../support/persistence-builders.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

/** Lets the other process work until so many packs have ended, and a while longer, and kills it. */
async function killed(directory: string, { packs, afterMs }: { packs: number; afterMs: number }) {
  const script = join(process.cwd(), 'spec/support/pack-child.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', script, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exit = new Promise((resolve) => child.on('exit', resolve))
  let ended = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ended' && ++ended === packs) break
  }
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  child.kill('SIGKILL')
  await exit
}

describe('A process that is killed while it packs', () => {
  test('loses nothing that is reachable, and the next pack goes on', async () => {
    const directory = await directories.create()
    for (const afterMs of [0, 7, 23]) {
      await killed(directory, { packs: 2, afterMs })
      const { ok, problems } = await verify(directory)
      expect(problems).toEqual([])
      expect(ok).toBe(true)
    }
    const db = await ObjectDatabase.open(directory)
    await db.pack({ graceMs: 0 })
    const { ok, unreachable } = await verify(db)
    expect([ok, unreachable]).toEqual([true, 0])
    await db.view(({ rootMapping }) => {
      for (const office of rootMapping.values()) {
        const employees = [...(office as BTree<number, Employee>).values()]
        expect(employees.map(({ title }) => title.split(' ')[1])).toEqual(
          Array.from({ length: 50 }, (_, number) => String(number)),
        )
      }
    })
    await db.close()
  })
})
