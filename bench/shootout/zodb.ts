import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NotAvailableError } from '../peers/not-available.js'
import { PythonProcess, pythonWith, versionsText } from '../peers/python-process.js'
import type { Contender, Entry, Facts, Supplies } from './contender.js'
import type { Task } from './task.js'

/** ZODB on FileStorage, in a Python process of its own. `zodb_peer.py` says what they speak. */
export class Zodb implements Contender {
  readonly name = 'zodb'
  /** Of ZODB, its parts, and Python. */
  readonly versions: string
  readonly #peer: PythonProcess
  #textsFile: string | undefined

  /** @throws NotAvailableError without Python, or when ZODB cannot be installed. */
  static async start(): Promise<Zodb> {
    const python = await pythonWith(`zodb-${ZODB_VERSION}`, [`ZODB==${ZODB_VERSION}`])
    const peer = new PythonProcess(python, 'ZODB', [PROGRAM])
    const { versions } = await peer.ask({ do: 'hello' }).catch((error: Error) => {
      throw new NotAvailableError(error.message)
    })
    return new Zodb(peer, versionsText(versions))
  }

  private constructor(peer: PythonProcess, versions: string) {
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
    await this.#peer[Symbol.asyncDispose]()
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
