import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startReceiverProcess } from '../../lib/testing/index.js'
import { HttpTransport } from '../../lib/webhooks/http-transport.js'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'treehook-receiver-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('Receiver process', () => {
  test('it logs each request as a line of JSON before it answers', async () => {
    const logFile = join(directory, 'requests.log')
    const receiver = await startReceiverProcess({ logFile, answer: [503, { body: 'ok' }] })
    const transport = new HttpTransport({ policy: { allow: ['127.0.0.1'] }, ca: [receiver.ca] })
    const answers = []
    for (const body of ['{"n":1}', '{"n":2}', 'Žofie']) {
      const url = `${receiver.url}hook`
      answers.push(await transport.send({ url, method: 'POST', headers: { 'x-a': 'b' }, body }))
    }
    expect(answers.map(({ statusCode, content }) => [statusCode, content])).toEqual([
      [503, ''],
      [200, 'ok'],
      [200, 'ok'],
    ])
    const lines = (await readFile(logFile, 'utf8')).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).body)).toEqual(['{"n":1}', '{"n":2}', 'Žofie'])
    expect((await receiver.requests())[0]).toMatchObject({
      method: 'POST',
      path: '/hook',
      headers: { 'x-a': 'b' },
      atMs: expect.any(Number),
    })
    expect(await receiver.count()).toBe(3)
    await transport.close()
    await receiver.close()
  })

  test('closing ends the process', async () => {
    const receiver = await startReceiverProcess()
    expect(receiver.pid).not.toBe(process.pid)
    expect(isAlive(receiver.pid)).toBe(true)
    await receiver.close()
    await receiver.close()
    expect(isAlive(receiver.pid)).toBe(false)
  })

  test('without a log file it counts, and says that there is no log', async () => {
    const receiver = await startReceiverProcess()
    expect(await receiver.count()).toBe(0)
    await expect(receiver.requests()).rejects.toThrow('writes no log')
    await receiver.close()
  })

  test('a log file that cannot be opened fails the start', async () => {
    const logFile = join(directory, 'missing', 'requests.log')
    await expect(startReceiverProcess({ logFile })).rejects.toThrow('exit code')
  })
})
