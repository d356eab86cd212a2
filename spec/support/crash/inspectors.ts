import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Answer, Job } from './inspector.js'
import { type Programs, start } from './programs.js'

/** What a job came to: the inspector's answer, or its end. */
export type Inspection = Answer | { readonly outcome: 'died' | 'hung'; readonly message: string }

const PATIENCE_MS = 60_000

/** Inspectors at work beside each other; each has one job at a time, and one that dies is replaced. */
export class Inspectors {
  readonly #programs: Programs
  readonly #idle: Inspector[] = []

  constructor(programs: Programs) {
    this.#programs = programs
  }

  async do(job: Job): Promise<Inspection> {
    const inspector = this.#idle.pop() ?? new Inspector(this.#programs)
    const inspection = await inspector.do(job)
    if (inspector.isAlive) this.#idle.push(inspector)
    return inspection
  }

  close(): void {
    for (const inspector of this.#idle.splice(0)) inspector.kill()
  }
}

class Inspector {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #exit: Promise<unknown[]>
  /** What it said before it died. */
  #complaint = ''
  #isKilled = false

  constructor(programs: Programs) {
    this.#child = start(programs.commandOf('inspector'), { stderr: 'pipe' })
    this.#child.stderr!.on('data', (text) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-1000)
    })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
    this.#exit = once(this.#child, 'close')
  }

  get isAlive(): boolean {
    return !this.#isKilled && this.#child.exitCode === null && this.#child.signalCode === null
  }

  async do(job: Job): Promise<Inspection> {
    this.#child.stdin!.write(`${JSON.stringify(job)}\n`)
    const hung = setTimeout(() => this.kill(), PATIENCE_MS)
    const { value } = await this.#lines.next()
    clearTimeout(hung)
    if (value !== undefined) return JSON.parse(value) as Answer
    const [code, signal] = await this.#exit
    return this.#isKilled
      ? { outcome: 'hung', message: `no answer within ${PATIENCE_MS} ms` }
      : { outcome: 'died', message: `${String(signal ?? code)}: ${this.#complaint}` }
  }

  kill(): void {
    this.#isKilled = true
    this.#child.kill('SIGKILL')
  }
}

/** Calls `work` for 0, 1, … up to `count` (excluded), as many at a time as there are lanes. */
export async function inLanes(
  count: number,
  lanes: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane))
}
