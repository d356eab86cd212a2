import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { peerFolder, runProgram } from './peer-folder.js'

/**
 * A Python program that answers each line of JSON with another. A request that fails is answered
 * with `{"error": "…"}`.
 */
export class PythonProcess implements AsyncDisposable {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  /**
   * @param python - the interpreter.
   * @param name - of the library that runs in it, for messages.
   * @param args - the program first.
   */
  constructor(python: string, name: string, args: readonly string[]) {
    this.#name = name
    this.#child = spawn(python, [...args], { stdio: ['pipe', 'pipe', 'ignore'] })
    // Either is told by the end of its lines.
    this.#child.on('error', () => {})
    this.#child.stdin?.on('error', () => {})
    const reader = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    this.#lines = reader[Symbol.asyncIterator]()
  }

  async ask(request: object): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`the process of ${this.#name} ended by itself`)
    const answer = JSON.parse(value as string) as Answer
    if (answer.error !== undefined) throw new Error(`${this.#name}: ${answer.error}`)
    return answer
  }

  get hasEnded(): boolean {
    const { pid, exitCode, signalCode } = this.#child
    return pid === undefined || exitCode !== null || signalCode !== null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await ended
  }
}

export type Answer = Readonly<Record<string, unknown>>

/**
 * @param folder - what the virtual environment is called: with the versions, so that others go elsewhere.
 * @param packages - with their versions, as pip writes them.
 * @returns the Python of a virtual environment that has the packages.
 * @throws NotAvailableError without Python, or when one cannot be installed.
 */
export async function pythonWith(folder: string, packages: readonly string[]): Promise<string> {
  const location = await peerFolder(folder, async (unfinished) => {
    await runProgram('python3', ['-m', 'venv', unfinished])
    const python = join(unfinished, 'bin', 'python')
    await runProgram(python, ['-m', 'pip', 'install', '--quiet', ...packages])
  })
  return join(location, 'bin', 'python')
}

/** `{ Python: '3.11.7', compiled: true }` as `Python 3.11.7, compiled`. */
export function versionsText(versions: unknown): string {
  const { compiled, ...others } = versions as Record<string, string>
  const list = Object.entries(others).map(([name, version]) => `${name} ${version}`)
  return `${list.join(', ')}, ${compiled ? 'compiled' : 'in pure Python'}`
}
