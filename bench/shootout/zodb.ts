import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  type Contender,
  type Entry,
  type Facts,
  NotAvailableError,
  type Supplies,
} from './contender.js'
import { peerFolder, runProgram } from './peer-folder.js'
import type { Task } from './task.js'

/** ZODB on FileStorage, in a Python process of its own. `zodb_peer.py` says what they speak. */
export class Zodb implements Contender {
  readonly name = 'zodb'
  /** Of ZODB, its parts, and Python. */
  readonly versions: string
  readonly #peer: PeerProcess
  #textsFile: string | undefined

  /** @throws NotAvailableError without Python, or when ZODB cannot be installed. */
  static async start(): Promise<Zodb> {
    const peer = new PeerProcess(await pythonWithZodb())
    const { versions } = await peer.ask({ do: 'hello' }).catch((error: Error) => {
      throw new NotAvailableError(error.message)
    })
    const { compiled, ...others } = versions as Record<string, string>
    const list = Object.entries(others).map(([name, version]) => `${name} ${version}`)
    return new Zodb(peer, `${list.join(', ')}, ${compiled ? 'compiled' : 'in pure Python'}`)
  }

  private constructor(peer: PeerProcess, versions: string) {
    this.#peer = peer
    this.versions = versions
  }

  async enter(task: Task, supplies: Supplies): Promise<Entry> {
    const texts = await this.#writeTexts(supplies)
    const directory = supplies.workspace.directory('zodb')
    await this.#peer.ask({
      do: 'enter',
      task: { ...task, seed: supplies.seed, texts },
      directory,
    })
    let facts: Facts | undefined
    const leave = async (): Promise<Facts> => {
      facts ??= (await this.#peer.ask({ do: 'leave' })).facts as Facts
      return facts
    }
    return {
      rounds: { zodb: async () => (await this.#peer.ask({ do: 'round' })).sample as number },
      facts: leave,
      [Symbol.asyncDispose]: async () => {
        if (!this.#peer.hasEnded) await leave()
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer.end()
  }

  async #writeTexts({ workspace, texts }: Supplies): Promise<string> {
    if (this.#textsFile === undefined) {
      this.#textsFile = join(workspace.location, 'texts.json')
      await writeFile(this.#textsFile, JSON.stringify(texts))
    }
    return this.#textsFile
  }
}

const ZODB_VERSION = '6.4'
/** Beside the sources: the compiler leaves it where it is. */
const PROGRAM = join(process.cwd(), 'bench', 'shootout', 'zodb_peer.py')

/** @returns the Python of a virtual environment that has ZODB. */
async function pythonWithZodb(): Promise<string> {
  const folder = await peerFolder(`zodb-${ZODB_VERSION}`, async (unfinished) => {
    await runProgram('python3', ['-m', 'venv', unfinished])
    const python = join(unfinished, 'bin', 'python')
    await runProgram(python, ['-m', 'pip', 'install', '--quiet', `ZODB==${ZODB_VERSION}`])
  })
  return join(folder, 'bin', 'python')
}

type Answer = Readonly<Record<string, unknown>>

/** Answers one line of JSON with another. */
class PeerProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(python: string) {
    this.#child = spawn(python, [PROGRAM], { stdio: ['pipe', 'pipe', 'ignore'] })
    // Either is told by the end of its lines.
    this.#child.on('error', () => {})
    this.#child.stdin?.on('error', () => {})
    const reader = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    this.#lines = reader[Symbol.asyncIterator]()
  }

  async ask(request: object): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the process of ZODB ended by itself')
    const answer = JSON.parse(value as string) as Answer
    if (answer.error !== undefined) throw new Error(`ZODB: ${answer.error}`)
    return answer
  }

  get hasEnded(): boolean {
    const { pid, exitCode, signalCode } = this.#child
    return pid === undefined || exitCode !== null || signalCode !== null
  }

  async end(): Promise<void> {
    if (this.hasEnded) return
    const ended = once(this.#child, 'exit')
    this.#child.stdin?.end()
    await ended
  }
}
