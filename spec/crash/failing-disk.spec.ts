import { afterAll, describe, expect, test } from '@jest/globals'
import {
  failSyncs,
  failSyncsOfOpening,
  failWrites,
  fillDisk,
  whyNoFullDisk,
} from '../support/crash/faults.js'
import { Programs } from '../support/crash/programs.js'
import { whyNoTracer } from '../support/crash/trace.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const programs = new Programs()
const lanes = 2

afterAll(() => programs.remove())

/** The codes with which a database may end its commits, or refuse to open. */
const REFUSALS = /^(not hit|(STORAGE_\w+ ?)+)$/

describe('A disk', () => {
  test('whose syncs fail ends the commits; what was acknowledged is there, what was refused is not', async () => {
    const missing = whyNoTracer()
    if (missing !== undefined) return console.warn(`Skipped: no sync fails here, ${missing}`)
    const result = await failSyncs({ rounds: 8, seed, lanes, programs })
    expect({ seed, failures: result.failures }).toEqual({ seed, failures: [] })
    expect(Object.keys(result.outcomes).filter((one) => !REFUSALS.test(one))).toEqual([])
  }, 300_000)

  test('whose syncs fail while a database is opened makes that an error with a code', async () => {
    const missing = whyNoTracer()
    if (missing !== undefined) return console.warn(`Skipped: no sync fails here, ${missing}`)
    const result = await failSyncsOfOpening({ rounds: 6, seed, lanes, programs })
    expect({ seed, failures: result.failures }).toEqual({ seed, failures: [] })
    expect(Object.keys(result.outcomes).filter((one) => !REFUSALS.test(one))).toEqual([])
  }, 300_000)

  test('that takes no more bytes in the middle of a write does so as well', async () => {
    const result = await failWrites({ rounds: 8, seed, lanes, programs })
    expect({ seed, failures: result.failures }).toEqual({ seed, failures: [] })
    expect(Object.keys(result.outcomes).filter((one) => !REFUSALS.test(one))).toEqual([])
    expect(result.outcomes['not hit'] ?? 0).toBeLessThan(8)
  }, 300_000)

  test('that is full is named in the error, and takes commits again once there is room', async () => {
    const missing = whyNoFullDisk()
    if (missing !== undefined) return console.warn(`Skipped: no disk is filled here, ${missing}`)
    const found = await fillDisk(programs, seed)
    expect(found.findings).toEqual([])
    expect(found.refusal).toMatchObject({
      code: 'STORAGE_OUTCOME_UNKNOWN',
      message: expect.stringContaining('disk is full'),
    })
    expect([undefined, 'STORAGE_FULL']).toContain(found.openedWhileFull?.code)
    expect(found.found).toBeGreaterThanOrEqual(found.acknowledged)
    expect(found.found).toBeLessThanOrEqual(found.acknowledged + 1)
    expect(found.afterwards).toBe(found.found + 1)
  }, 300_000)
})
