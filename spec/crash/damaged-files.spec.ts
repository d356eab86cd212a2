import { afterAll, describe, expect, test } from '@jest/globals'
import { flipLog, flipTables, truncateLog } from '../support/crash/damage.js'
import { Programs } from '../support/crash/programs.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const programs = new Programs()
const lanes = 2

afterAll(() => programs.remove())

describe('The newest log', () => {
  test('cut anywhere in its last 4,096 bytes opens at a commit, or is refused', async () => {
    const result = await truncateLog({ rounds: 100, seed, lanes, programs })
    expect({ seed, failures: result.failures }).toEqual({ seed, failures: [] })
    expect(result.outcomes['opened at a commit']).toBeGreaterThan(0)
  }, 300_000)

  test('with a bit flipped opens at a commit, or is refused', async () => {
    const result = await flipLog({ rounds: 100, seed, lanes, programs })
    expect({ seed, failures: result.failures }).toEqual({ seed, failures: [] })
    expect(result.outcomes.STORAGE_CORRUPT).toBeGreaterThan(0)
  }, 300_000)
})

describe('A table', () => {
  test('with a bit flipped never gives what was not committed for the object, nor an older revision without verify telling', async () => {
    const result = await flipTables({ rounds: 100, seed, lanes, programs })
    expect({ seed, failures: result.failures }).toEqual({ seed, failures: [] })
    expect(result.outcomes.harmless).toBeGreaterThan(0)
  }, 300_000)
})
