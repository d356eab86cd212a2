import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type Certificate, makeCertificate } from '../../lib/testing/certificate.js'
import type { ReceiverAnswer } from '../../lib/testing/received-request.js'
import { RECEIVER_PROGRAM } from '../../lib/testing/receiver-program.js'

let directory = ''
let certificate: Certificate
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'treehook-program-'))
  certificate = await makeCertificate()
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const started: ChildProcess[] = []
afterEach(() => Promise.all(started.splice(0).map(kill)))

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** Runs the program as its starter does. */
async function run(
  answers: readonly ReceiverAnswer[],
  logFile?: string,
): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['-e', RECEIVER_PROGRAM], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  started.push(child)
  child.send({ ...certificate, logFile, answers })
  const [{ port }] = await once(child, 'message')
  return { child, port }
}

async function countOf(child: ChildProcess): Promise<number> {
  const answered = once(child, 'message')
  child.send('count')
  const [{ count }] = await answered
  return count
}

async function untilCount(child: ChildProcess, count: number): Promise<void> {
  while ((await countOf(child)) < count);
}

/** Resolves at the status and headers. */
function begin(port: number, body = '', path = '/'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-a': 'b' }
    const options = { host: '127.0.0.1', port, path, method: 'POST', headers, agent: false }
    const sent = request({ ...options, ca: certificate.cert }, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

async function post(port: number, body = '', path = '/'): Promise<[number | undefined, string]> {
  const response = await begin(port, body, path)
  let text = ''
  for await (const chunk of response) text += chunk
  return [response.statusCode, text]
}

async function logged(logFile: string): Promise<Record<string, unknown>[]> {
  const lines = (await readFile(logFile, 'utf8')).split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line))
}

describe('Receiver program', () => {
  test('it answers each request in turn, and the rest like the last', async () => {
    const { port } = await run([{ statusCode: 503 }, { body: 'ok', headers: { 'x-c': 'd' } }])
    expect(await post(port)).toEqual([503, ''])
    expect(await post(port)).toEqual([200, 'ok'])
    expect(await post(port)).toEqual([200, 'ok'])
    const last = await begin(port)
    expect(last.headers).toMatchObject({ 'x-c': 'd' })
    last.destroy()
  })

  test('it counts what it received', async () => {
    const { child, port } = await run([{}])
    expect(await countOf(child)).toBe(0)
    await Promise.all([post(port), post(port), post(port)])
    expect(await countOf(child)).toBe(3)
  })

  test('it logs each request as a line, after those that are there', async () => {
    const logFile = join(directory, 'lines.log')
    await appendFile(logFile, '{"before":true}\n')
    const { port } = await run([{}], logFile)
    await post(port, 'Žofie\n', '/hook?a=1')
    await post(port, 'second')
    expect(await logged(logFile)).toEqual([
      { before: true },
      {
        method: 'POST',
        path: '/hook?a=1',
        headers: expect.objectContaining({ 'x-a': 'b', host: `127.0.0.1:${port}` }),
        body: 'Žofie\n',
        atMs: expect.any(Number),
      },
      expect.objectContaining({ body: 'second' }),
    ])
  })

  test('a request is in the log before it is answered, and a slow answer holds up no other', async () => {
    const logFile = join(directory, 'slow.log')
    const { child, port } = await run([{ delayMs: 600_000 }, { statusCode: 201 }], logFile)
    const slow = expect(post(port, 'slow')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await untilCount(child, 1)
    expect(await logged(logFile)).toMatchObject([{ body: 'slow' }])
    expect(await post(port, 'next')).toEqual([201, ''])
    await kill(child)
    await slow
  })

  test('a silent answer never comes', async () => {
    const { child, port } = await run([{ fault: 'silent' }])
    const silent = expect(post(port)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await untilCount(child, 1)
    await kill(child)
    await silent
  })

  test('a reset breaks the connection of its request, and the next is served', async () => {
    const { child, port } = await run([{ fault: 'reset' }, {}])
    await expect(post(port)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await post(port)).toEqual([200, ''])
    expect(await countOf(child)).toBe(2)
  })

  test('a dripping answer has a status, and goes on until its reader leaves', async () => {
    const { port } = await run([{ statusCode: 202, fault: 'drip' }, {}])
    const dripping = await begin(port)
    expect(dripping.statusCode).toBe(202)
    let text = ''
    for await (const chunk of dripping) {
      text += chunk
      if (text.length >= 3) break
    }
    expect(text).toMatch(/^\.{3,}$/)
    expect(await post(port)).toEqual([200, ''])
  })

  test('it ends when its starter is gone', async () => {
    const { child } = await run([{}])
    const exited = once(child, 'exit')
    child.disconnect()
    expect(await exited).toEqual([0, null])
  })
})
