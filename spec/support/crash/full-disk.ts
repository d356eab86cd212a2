/**
 * The process that fills a disk: `full-disk <directory> <seed>`, the directory being a small file
 * system that is empty. It prints one {@link FullDiskReport}.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../../lib/foundation/index.js'
import { ObjectDatabase } from '../../../lib/persistence/index.js'
import { Ledger } from './ledger.js'

export interface FullDiskReport {
  /** Transactions until the disk was full. */
  readonly acknowledged: number
  /** The error of the one that did not fit. */
  readonly refusal: Refusal
  /** What opening said while the disk was still full; `undefined` when it opened. */
  readonly openedWhileFull: Refusal | undefined
  /** The newest transaction once there was room again. */
  readonly found: number
  readonly findings: readonly string[]
  /** The newest transaction after one more. */
  readonly afterwards: number
}

export interface Refusal {
  readonly code: string | undefined
  readonly message: string
}

const [directory = '', seed = '0'] = process.argv.slice(2)
const BALLAST = join(directory, 'ballast')
const BALLAST_BYTES = 1024 * 1024

async function fillAndRecover(): Promise<FullDiskReport> {
  writeFileSync(BALLAST, Buffer.alloc(BALLAST_BYTES))
  const { acknowledged, refusal } = await withLedger(fill)
  const openedWhileFull = await withLedger(async () => undefined).catch(refusalOf)
  rmSync(BALLAST)
  const { found, findings, afterwards } = await withLedger(async (ledger) => {
    const { seqs, findings } = await ledger.check()
    return { found: seqs[0]!, findings, afterwards: await ledger.transact(0) }
  })
  return { acknowledged, refusal, openedWhileFull, found, findings, afterwards }
}

async function fill(ledger: Ledger): Promise<{ acknowledged: number; refusal: Refusal }> {
  await ledger.make()
  let acknowledged = 0
  for (;;) {
    try {
      acknowledged = await ledger.transact(0)
    } catch (error) {
      return { acknowledged, refusal: refusalOf(error) }
    }
  }
}

async function withLedger<T>(use: (ledger: Ledger) => Promise<T>): Promise<T> {
  const db = await ObjectDatabase.open(join(directory, 'data'), { onError: () => undefined })
  try {
    return await use(new Ledger(db, { seed: Number(seed), clients: 1 }))
  } finally {
    await db.close()
  }
}

function refusalOf(error: unknown): Refusal {
  return { code: codeOf(error), message: String(error) }
}

console.log(JSON.stringify(await fillAndRecover()))
