import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Another process at work on a database, and the lines it printed; see `persistence-child.ts`. */
export class PersistenceProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #exit: Promise<void>

  constructor(task: 'write', directory: string) {
    const script = join(process.cwd(), 'spec/support/persistence-child.ts')
    this.#child = spawn(process.execPath, ['--import', 'tsx', script, task, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
    this.#exit = new Promise((resolve) => this.#child.on('exit', () => resolve()))
  }

  async nextLine(): Promise<string> {
    const { value, done } = await this.#lines.next()
    return done === true ? '(no more output)' : value
  }

  /** `kill -9`, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }
}
