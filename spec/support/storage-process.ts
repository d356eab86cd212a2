import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'

const SCRIPT = join(process.cwd(), 'spec/support/storage-child.ts')

/** What the other process does with a directory, see `storage-child.ts`. */
export type ChildTask = 'checkpoint' | 'hold' | 'try' | 'tryLevel' | 'write'

/** Another process at work on a directory, and the lines it printed. */
export class StorageProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #exit: Promise<void>

  constructor(task: ChildTask, directory: string) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, task, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
    this.#exit = new Promise((resolve) => this.#child.on('exit', () => resolve()))
  }

  get pid(): number {
    return this.#child.pid!
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

  /** The last of the lines that are left of a process that is gone; `undefined` when there is none. */
  async lastLine(): Promise<string | undefined> {
    for (let last: string | undefined; ; ) {
      const { value, done } = await this.#lines.next()
      if (done === true) return last
      last = value
    }
  }
}

/** What a process that tries to open the directory says: `open` or an error code. */
export async function openElsewhere(
  directory: string,
  task: 'try' | 'tryLevel' = 'try',
): Promise<string> {
  const other = new StorageProcess(task, directory)
  const line = await other.nextLine()
  await other.kill()
  return line
}

/** What another thread of this process that tries to open the directory says. */
export async function openInThread(directory: string): Promise<string> {
  const source = `
    require('tsx/cjs/api').register()
    require(${JSON.stringify(SCRIPT)})`
  // Node fills the place of the script in argv itself.
  const thread = new Worker(source, { eval: true, argv: ['try', directory], stdout: true })
  const lines = createInterface({ input: thread.stdout })[Symbol.asyncIterator]()
  const { value } = await lines.next()
  await thread.terminate()
  return value ?? '(no output)'
}
