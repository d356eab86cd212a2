import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createSecureContext, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  FakeClock,
  type LocalReceiver,
  type LocalReceiverOptions,
  makeCertificate,
  startLocalReceiver,
} from '../../lib/testing/index.js'
import { Deadlines } from '../../lib/webhooks/deadlines.js'
import { DestinationJudge } from '../../lib/webhooks/destination-judge.js'
import { DestinationRefusedError } from '../../lib/webhooks/errors.js'
import type { Connection } from '../../lib/webhooks/exchange.js'
import { HostResolver, type ResolveHost } from '../../lib/webhooks/host-resolver.js'
import {
  type JudgedConnectorOptions,
  judgedConnector,
} from '../../lib/webhooks/judged-connector.js'

const opened: (() => Promise<unknown> | unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function aReceiver(options: LocalReceiverOptions = {}): Promise<LocalReceiver> {
  const receiver = await startLocalReceiver(options)
  opened.push(() => receiver.close())
  return receiver
}

/** A server below TLS: knows what reaches it. */
async function aTcpServer(
  onConnection: (socket: Socket) => void = () => {},
): Promise<{ port: number; bytes: () => number; connected: Promise<void>; left: Promise<void> }> {
  let bytes = 0
  let [connect, leave] = [(): void => {}, (): void => {}]
  const connected = new Promise<void>((resolve) => {
    connect = resolve
  })
  const left = new Promise<void>((resolve) => {
    leave = resolve
  })
  const server = createServer((socket) => {
    opened.push(() => socket.destroy())
    socket.on('error', () => {}).on('close', leave)
    socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    connect()
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push(() => server.close())
  return { port: (server.address() as AddressInfo).port, bytes: () => bytes, connected, left }
}

interface Line extends JudgedConnectorOptions {
  readonly clock: FakeClock
  readonly connection: Connection
  connect(hostname: string, port: number): Promise<TLSSocket>
}

/** Connects to 127.0.0.1, with time that stands still. */
function aLine({
  ca = [],
  resolve = async () => ['127.0.0.1'],
  judge = new DestinationJudge({ allow: ['127.0.0.1'] }),
}: {
  readonly ca?: string[]
  readonly resolve?: ResolveHost
  readonly judge?: DestinationJudge
} = {}): Line {
  const clock = new FakeClock()
  const options: JudgedConnectorOptions = {
    judge,
    resolver: new HostResolver({ resolve, clock, ttlMs: 0, deadlineMs: 60_000 }),
    secureContext: createSecureContext({ ca }),
    deadlines: new Deadlines(clock, 5000),
    sessions: new Map(),
    underWay: new Set(),
  }
  const connection: Connection = { socket: undefined }
  const connector = judgedConnector(options, connection)
  const connect = (hostname: string, port: number): Promise<TLSSocket> =>
    new Promise((done, fail) => {
      connector({ hostname, port: String(port), protocol: 'https:' }, (error, socket) => {
        if (socket === null) return fail(error)
        opened.push(() => socket.destroy())
        done(socket as TLSSocket)
      })
    })
  return { ...options, clock, connection, connect }
}

const refused = { code: 'WEBHOOK_DESTINATION_REFUSED' }

/** Permits as its policy says, up to the judgement that is to be refused. */
class FickleJudge extends DestinationJudge {
  readonly judged: (readonly string[])[] = []
  readonly #refusal: number

  constructor(refusal: number) {
    super({ allow: ['127.0.0.1'] })
    this.#refusal = refusal
  }

  override check(host: string, addresses: readonly string[]): void {
    this.judged.push([...addresses])
    if (this.judged.length === this.#refusal) {
      throw DestinationRefusedError.forbidden({ host, address: '127.0.0.1', reason: 'moved' })
    }
    super.check(host, addresses)
  }
}

describe('Judged connector', () => {
  test('makes a trusted connection and tells it', async () => {
    const receiver = await aReceiver()
    const line = aLine({ ca: [receiver.ca] })
    const socket = await line.connect('127.0.0.1', receiver.port)
    expect(socket).toMatchObject({ authorized: true, alpnProtocol: 'http/1.1' })
    expect(socket.remoteAddress).toBe('127.0.0.1')
    expect(line.connection.socket).toBe(socket)
  })

  test('leaves nothing behind once it is done', async () => {
    const receiver = await aReceiver()
    const line = aLine({ ca: [receiver.ca] })
    const connecting = line.connect('127.0.0.1', receiver.port)
    expect([line.underWay.size, line.clock.sleeping]).toEqual([1, 1])
    await connecting
    expect([line.underWay.size, line.clock.sleeping]).toEqual([0, 0])
  })

  test.each(['offices.test', 'offices.test.'])('finds %s under its certificate', async (host) => {
    const names: unknown[] = []
    const receiver = await aReceiver({
      names: ['offices.test'],
      answer: (_request, { socket }) => {
        names.push((socket as TLSSocket).servername)
        return 200
      },
    })
    const asked: string[] = []
    const resolve = async (name: string) => {
      asked.push(name)
      return ['127.0.0.1']
    }
    const socket = await aLine({ ca: [receiver.ca], resolve }).connect(host, receiver.port)
    expect(socket.authorized).toBe(true)
    expect(asked).toEqual([host])
    socket.write('GET / HTTP/1.1\r\nhost: offices.test\r\n\r\n')
    await once(socket, 'data')
    expect(names).toEqual(['offices.test'])
  })

  test('resumes the TLS session of the host and port', async () => {
    const receiver = await aReceiver()
    const line = aLine({ ca: [receiver.ca] })
    const first = await line.connect('127.0.0.1', receiver.port)
    first.resume()
    while (line.sessions.size === 0) await new Promise((done) => setImmediate(done))
    expect(first.isSessionReused()).toBe(false)
    expect([...line.sessions.keys()]).toEqual([`127.0.0.1:${receiver.port}`])
    const second = await line.connect('127.0.0.1', receiver.port)
    expect(second.isSessionReused()).toBe(true)
  })

  test('keeps a thousand TLS sessions, and forgets the oldest', async () => {
    const receiver = await aReceiver()
    const line = aLine({ ca: [receiver.ca] })
    for (let n = 0; n < 1000; n++) line.sessions.set(`${n}.test:443`, Buffer.alloc(0))
    const socket = await line.connect('127.0.0.1', receiver.port)
    socket.resume()
    const key = `127.0.0.1:${receiver.port}`
    while (!line.sessions.has(key)) await new Promise((done) => setImmediate(done))
    expect(line.sessions.size).toBe(1000)
    expect([...line.sessions.keys()][0]).toBe('1.test:443')
  })
})

describe('Judged connector, about addresses', () => {
  test('refuses a literal that is not permitted, and connects to nothing', async () => {
    const receiver = await aReceiver()
    const line = aLine({ ca: [receiver.ca], judge: new DestinationJudge({ allow: [] }) })
    await expect(line.connect('127.0.0.1', receiver.port)).rejects.toMatchObject(refused)
    expect(line.connection.socket).toBeUndefined()
    // Connections come in order: one made earlier would be counted by now.
    await aLine({ ca: [receiver.ca] }).connect('127.0.0.1', receiver.port)
    expect(receiver.connections).toBe(1)
  })

  test('refuses a name when one of its addresses is not permitted', async () => {
    const receiver = await aReceiver({ names: ['offices.test'] })
    const resolve = async () => ['127.0.0.1', '127.0.0.2']
    const line = aLine({ ca: [receiver.ca], resolve })
    await expect(line.connect('offices.test', receiver.port)).rejects.toMatchObject({
      ...refused,
      details: { host: 'offices.test', address: '127.0.0.2' },
    })
    expect(receiver.connections).toBe(0)
  })

  test('judges what the name gives, what is chosen from, and what is connected', async () => {
    const receiver = await aReceiver({ names: ['offices.test'] })
    const judge = new FickleJudge(0)
    await aLine({ ca: [receiver.ca], judge }).connect('offices.test', receiver.port)
    expect(judge.judged).toEqual([['127.0.0.1'], ['127.0.0.1'], ['127.0.0.1']])
  })

  test.each([1, 2])('connects to nothing when judgement %i refuses', async (refusal) => {
    const receiver = await aReceiver({ names: ['offices.test'] })
    const line = aLine({ ca: [receiver.ca], judge: new FickleJudge(refusal) })
    const connecting = line.connect('offices.test', receiver.port)
    await expect(connecting).rejects.toMatchObject({ message: expect.stringContaining('moved') })
    expect(receiver.connections).toBe(0)
  })

  test('sends not a byte when the address it is connected to is refused', async () => {
    const { port, bytes, left } = await aTcpServer()
    const connecting = aLine({ judge: new FickleJudge(3) }).connect('offices.test', port)
    await expect(connecting).rejects.toMatchObject(refused)
    await left
    expect(bytes()).toBe(0)
  })
})

describe('Judged connector, failing', () => {
  test('a name that is not resolved is kind dns', async () => {
    const resolve = () => Promise.reject(new Error('NXDOMAIN'))
    await expect(aLine({ resolve }).connect('offices.test', 443)).rejects.toMatchObject({
      kind: 'dns',
    })
  })

  test('a port where nobody listens is kind connection', async () => {
    const receiver = await aReceiver()
    await receiver.close()
    await expect(aLine().connect('127.0.0.1', receiver.port)).rejects.toMatchObject({
      kind: 'connection',
      message: expect.stringMatching(`^Delivery to 127.0.0.1:${receiver.port} failed`),
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test('a connection that ends within the handshake is kind connection', async () => {
    const { port } = await aTcpServer((socket) => socket.once('data', () => socket.destroy()))
    await expect(aLine().connect('127.0.0.1', port)).rejects.toMatchObject({ kind: 'connection' })
  })

  test('a server that does not speak TLS is kind tls', async () => {
    const { port, left } = await aTcpServer((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    await expect(aLine().connect('127.0.0.1', port)).rejects.toMatchObject({ kind: 'tls' })
    await left
  })

  test.each([
    ['nobody vouches for', {}, []],
    ['is for another host', { names: ['other.test'] }, undefined],
    ['has expired', { notAfterMs: Date.now() - 60_000 }, undefined],
  ])('a certificate that %s is kind tls', async (_what, changes, ca) => {
    const certificate = await makeCertificate(changes)
    const receiver = await aReceiver({ certificate })
    const line = aLine({ ca: ca ?? [receiver.ca] })
    await expect(line.connect('127.0.0.1', receiver.port)).rejects.toMatchObject({ kind: 'tls' })
    expect(line.connection.socket).toBeUndefined()
    expect([line.underWay.size, line.clock.sleeping]).toEqual([0, 0])
  })

  test('a handshake without end is kind timeout at the deadline, and its connection ends', async () => {
    const { port, connected, left } = await aTcpServer()
    const line = aLine()
    const failed = expect(line.connect('127.0.0.1', port)).rejects.toMatchObject({
      kind: 'timeout',
    })
    await connected
    await line.clock.advance(5000)
    await failed
    await left
  })

  test('whoever closes ends a handshake, kind aborted', async () => {
    const { port, connected, left } = await aTcpServer()
    const line = aLine()
    const failed = expect(line.connect('127.0.0.1', port)).rejects.toMatchObject({
      kind: 'aborted',
    })
    await connected
    for (const abort of line.underWay) abort()
    await failed
    await left
    expect(line.underWay.size).toBe(0)
  })

  test('given up while the name is asked for, it connects to nothing', async () => {
    const receiver = await aReceiver({ names: ['offices.test'] })
    let answer = (_addresses: string[]): void => {}
    const resolve = () =>
      new Promise<string[]>((done) => {
        answer = done
      })
    const judge = new FickleJudge(0)
    const line = aLine({ ca: [receiver.ca], resolve, judge })
    const failed = expect(line.connect('offices.test', receiver.port)).rejects.toMatchObject({
      kind: 'aborted',
    })
    for (const abort of line.underWay) abort()
    await failed
    answer(['127.0.0.1'])
    while (judge.judged.length === 0) await new Promise((done) => setImmediate(done))
    await new Promise((done) => setImmediate(done))
    expect(judge.judged).toHaveLength(1) // the choice and the connection would be judged too
    expect(receiver.connections).toBe(0)
  })
})
