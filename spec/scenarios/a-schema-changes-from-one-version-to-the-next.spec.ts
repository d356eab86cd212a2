import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Database, planSchemas, type SchemaManager, verify } from '../../lib/index.js'
import { TemporaryDirectories } from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const IN_DOLLARS = '400 products, 1 to 400, 80200 in all'
const IN_CENTS = '400 products, 100 to 40000, 8020000 in all'

function start(version: 1 | 2, directory: string): ChildProcess {
  const script = join(process.cwd(), 'spec/support/schema-program.ts')
  return spawn(process.execPath, ['--import', 'tsx', script, String(version), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** What a version prints, until it ends. */
async function printedBy(version: 1 | 2, directory: string): Promise<string[]> {
  const lines: string[] = []
  for await (const line of createInterface({ input: start(version, directory).stdout! })) {
    lines.push(line)
  }
  return lines
}

/** `kill -9` once so many batches are committed. */
async function killedAfter(batches: number, directory: string): Promise<void> {
  const child = start(2, directory)
  const exit = new Promise((resolve) => child.on('exit', resolve))
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line === `batch ${batches}`) break
  }
  child.kill('SIGKILL')
  await exit
}

/** As version 2 has it, for plans. */
const schema: SchemaManager = { name: 'shop', generation: 1, steps: { 1: () => {} } }

async function planned(directory: string) {
  await using db = await Database.open(directory, { readOnly: true })
  return (await planSchemas(db, [schema]))[0]
}

describe('A schema that changes from one version of a program to the next', () => {
  test('is brought to the new form once, and refuses the old program', async () => {
    const directory = await directories.create()
    expect((await printedBy(1, directory)).at(-1)).toBe(IN_DOLLARS)
    expect(await planned(directory)).toMatchObject({ generation: 0, does: 'evolve' })
    const printed = await printedBy(2, directory)
    expect(printed.slice(0, 2)).toEqual(['batch 0', 'batch 1'])
    expect(printed.at(-1)).toBe(IN_CENTS)
    expect(await printedBy(1, directory)).toEqual(['CONTENT_GENERATION_TOO_HIGH'])
  })

  test('goes on where a killed process left it', async () => {
    const directory = await directories.create()
    await printedBy(1, directory)
    let before = 0
    for (const batches of [1, 12]) {
      await killedAfter(batches, directory)
      const plan = await planned(directory)
      expect(plan?.generation).toBe(0)
      // What was printed was committed; more may have been.
      expect(plan?.steps[0]?.batchesDone).toBeGreaterThanOrEqual(batches)
      before = plan?.steps[0]?.batchesDone ?? 0
    }
    const printed = await printedBy(2, directory)
    expect(printed[0]).toBe(`batch ${before}`)
    expect(printed.at(-1)).toBe(IN_CENTS)
    expect((await verify(directory)).problems).toEqual([])
  })
})
