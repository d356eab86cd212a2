import { afterAll, describe, expect, test } from '@jest/globals'
import { killProcesses } from '../support/crash/kills.js'
import { Programs } from '../support/crash/programs.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const programs = new Programs()

afterAll(() => programs.remove())

describe('A process that is killed', () => {
  test('200 times while it opens, commits or closes, loses nothing acknowledged and leaves nothing half', async () => {
    const result = await killProcesses({ rounds: 200, seed, lanes: 3, programs })
    expect({ seed, failures: result.failures }).toEqual({ seed, failures: [] })
    expect(result.acknowledged).toBeGreaterThan(500)
  }, 600_000)
})
