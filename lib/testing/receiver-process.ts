import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { makeCertificate } from './certificate.js'
import type { ReceivedRequest, ReceiverAnswer } from './received-request.js'
import { RECEIVER_PROGRAM } from './receiver-program.js'

/** @public */
export interface ReceiverProcessOptions {
  /** Where each request received becomes a line of JSON, before it is answered. Default: nowhere. */
  readonly logFile?: string
  /** One for all requests, or one for each in turn and the last for the rest. Default 200. */
  readonly answer?: number | ReceiverAnswer | readonly (number | ReceiverAnswer)[]
}

/** A webhook receiver in a process of its own. @public */
export interface ReceiverProcess {
  /** `https://127.0.0.1:40123/` */
  readonly url: string
  readonly port: number
  /** The certificate to trust, PEM. */
  readonly ca: string
  readonly pid: number
  /** Requests received so far. */
  count(): Promise<number>
  /**
   * The requests in the log file, oldest first; a last line that is not complete is left out.
   * @throws Error when the receiver writes no log file.
   */
  requests(): Promise<readonly ReceivedRequest[]>
  /** Kills the process. May be called again. */
  close(): Promise<void>
}

/**
 * Starts a real HTTPS server on loopback in another process: it lives on when the process under
 * test is killed, and its work does not slow down the sender. It ends with the one who started it.
 * @throws Error when the package `selfsigned` is not installed, or the process ends at once.
 * @public
 */
export async function startReceiverProcess({
  logFile,
  answer = 200,
}: ReceiverProcessOptions = {}): Promise<ReceiverProcess> {
  const { key, cert } = await makeCertificate()
  const child = spawn(process.execPath, ['-e', RECEIVER_PROGRAM], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const receiver = new ForkedReceiver(child, cert, logFile)
  await receiver.start({ key, cert, logFile, answers: listOf(answer) })
  return receiver
}

class ForkedReceiver implements ReceiverProcess {
  readonly ca: string
  url = ''
  port = 0
  readonly #child: ChildProcess
  readonly #logFile: string | undefined
  #lastAsked: Promise<unknown> = Promise.resolve()

  constructor(child: ChildProcess, ca: string, logFile: string | undefined) {
    this.#child = child
    this.ca = ca
    this.#logFile = logFile
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async start(settings: object): Promise<void> {
    const { port = 0 } = await this.#ask(settings)
    this.port = port
    this.url = `https://127.0.0.1:${port}/`
  }

  async count(): Promise<number> {
    const { count = 0 } = await this.#ask('count')
    return count
  }

  async requests(): Promise<readonly ReceivedRequest[]> {
    if (this.#logFile === undefined) {
      throw new Error(
        'This receiver writes no log. Start it with { logFile } to read its requests.',
      )
    }
    const lines = (await readFile(this.#logFile, 'utf8')).split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as ReceivedRequest)
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  /** Questions go one after another, as the answers carry no name. */
  #ask(question: object | string): Promise<{ port?: number; count?: number }> {
    const answered = this.#lastAsked.then(() => askChild(this.#child, question))
    this.#lastAsked = answered.catch(() => {})
    return answered
  }
}

async function askChild(
  child: ChildProcess,
  question: object | string,
): Promise<{ port?: number; count?: number }> {
  const answered = new AbortController()
  const { signal } = answered
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([answer]) => answer),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`The receiver process ended with exit code ${code}.`)
      }),
      new Promise<never>((_resolve, reject) => {
        child.send(question, (error) => error && reject(error))
      }),
    ])
  } finally {
    answered.abort()
  }
}

function listOf(answer: NonNullable<ReceiverProcessOptions['answer']>): ReceiverAnswer[] {
  const answers = Array.isArray(answer) ? answer : [answer]
  return answers.map((one) => (typeof one === 'number' ? { statusCode: one } : one))
}
