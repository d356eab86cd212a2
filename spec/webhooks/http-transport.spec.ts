import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  type LocalReceiver,
  type LocalReceiverOptions,
  makeCertificate,
  startLocalReceiver,
} from '../../lib/testing/index.js'
import { DestinationValidator } from '../../lib/webhooks/destination-validator.js'
import type { DeliveryFailedError } from '../../lib/webhooks/errors.js'
import { HttpTransport, type HttpTransportOptions } from '../../lib/webhooks/http-transport.js'
import type { OutgoingRequest } from '../../lib/webhooks/transport.js'

const opened: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

async function aReceiver(options: LocalReceiverOptions = {}): Promise<LocalReceiver> {
  const receiver = await startLocalReceiver(options)
  opened.push(receiver)
  return receiver
}

/** One that may send to loopback and trusts the receiver, unless told otherwise. */
function aTransport(
  receiver: Pick<LocalReceiver, 'ca'>,
  options: HttpTransportOptions = {},
): HttpTransport {
  const transport = new HttpTransport({
    policy: { allow: ['127.0.0.1', '::1'] },
    ca: [receiver.ca],
    ...options,
  })
  opened.push(transport)
  return transport
}

function aRequest(url: string, changes: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return { url, method: 'POST', headers: {}, body: '{}', ...changes }
}

/** A server below TLS. */
async function aTcpServer(
  onConnection: (socket: Socket) => void,
): Promise<{ url: string; connections: () => number }> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server: Server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push({
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
  const { port } = server.address() as AddressInfo
  return { url: `https://127.0.0.1:${port}/`, connections: () => connections }
}

async function failureOf(sent: Promise<unknown>): Promise<DeliveryFailedError> {
  const error = await sent.then(
    () => new Error('it was delivered'),
    (thrown: unknown) => thrown,
  )
  expect(error).toMatchObject({ code: 'WEBHOOK_DELIVERY_FAILED' })
  return error as DeliveryFailedError
}

async function untilNoConnections(receiver: LocalReceiver): Promise<void> {
  while (receiver.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

const refused = { code: 'WEBHOOK_DESTINATION_REFUSED' }

describe('HTTP transport', () => {
  test('it sends the request as given and gives the answer', async () => {
    const receiver = await aReceiver({
      answer: { statusCode: 201, headers: { 'x-a': 'b', 'set-cookie': 'c=d' }, body: 'přijato' },
    })
    const answer = await aTransport(receiver).send(
      aRequest(`${receiver.url}hook?a=1`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'webhook-id': 'msg_1' },
        body: '{"name":"Žofie"}',
      }),
    )
    expect(answer).toEqual({
      statusCode: 201,
      reason: 'Created',
      headers: expect.objectContaining({ 'x-a': 'b', 'set-cookie': 'c=d' }),
      content: 'přijato',
      contentTruncated: false,
      elapsedMs: expect.any(Number),
      remoteAddress: '127.0.0.1',
    })
    expect(receiver.requests).toMatchObject([
      {
        method: 'PUT',
        path: '/hook?a=1',
        body: '{"name":"Žofie"}',
        headers: {
          'content-type': 'application/json',
          'webhook-id': 'msg_1',
          'accept-encoding': 'identity',
        },
      },
    ])
  })

  test('bytes are sent as they are', async () => {
    const receiver = await aReceiver()
    const bytes = new TextEncoder().encode('…Žofie…').subarray(3, -3)
    await aTransport(receiver).send(aRequest(receiver.url, { body: bytes }))
    expect(receiver.requests[0]).toMatchObject({
      body: 'Žofie',
      headers: { 'content-length': '6' },
    })
  })

  test.each([200, 204, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503, 599])(
    'status %i is an answer',
    async (statusCode) => {
      const receiver = await aReceiver({ answer: statusCode })
      await expect(aTransport(receiver).send(aRequest(receiver.url))).resolves.toMatchObject({
        statusCode,
      })
    },
  )

  test.each([301, 302, 303, 307, 308])('a redirect by %i is not followed', async (statusCode) => {
    const other = await aReceiver()
    const receiver = await aReceiver({ answer: { statusCode, headers: { location: other.url } } })
    const answer = await aTransport(receiver).send(aRequest(receiver.url))
    expect(answer).toMatchObject({ statusCode, headers: { location: other.url } })
    expect([receiver.requests.length, other.connections]).toEqual([1, 0])
  })

  test('connections are used again', async () => {
    const receiver = await aReceiver()
    const transport = aTransport(receiver)
    for (let n = 0; n < 50; n++) await transport.send(aRequest(receiver.url))
    expect(receiver.requests).toHaveLength(50)
    expect(receiver.connections).toBeLessThanOrEqual(2)
  })

  test('an origin gets no more connections than allowed', async () => {
    const receiver = await aReceiver({ answer: { delayMs: 10 } })
    const transport = aTransport(receiver, { connectionsPerOrigin: 3 })
    await Promise.all(Array.from({ length: 20 }, () => transport.send(aRequest(receiver.url))))
    expect([receiver.requests.length, receiver.connections]).toEqual([20, 3])
  })

  test('connections to the longest unused origin are given up when there are too many', async () => {
    const [a, b, c] = [await aReceiver(), await aReceiver(), await aReceiver()]
    const transport = aTransport(a, { ca: [a.ca, b.ca, c.ca], maxOrigins: 2 })
    for (const { url } of [a, b, a, c]) await transport.send(aRequest(url))
    await untilNoConnections(b)
    expect([a.openConnections, c.openConnections]).toEqual([1, 1])
  })

  test('connections are made anew after their time', async () => {
    const receiver = await aReceiver()
    const transport = aTransport(receiver, { maxConnectionAgeMs: 1 })
    await transport.send(aRequest(receiver.url))
    await new Promise((resolve) => setTimeout(resolve, 5))
    await transport.send(aRequest(receiver.url))
    expect(receiver.connections).toBe(2)
  })

  test('credentials in the URL become Basic authorization, and are not told in errors', async () => {
    const receiver = await aReceiver()
    const transport = aTransport(receiver)
    const url = receiver.url.replace('//', '//ana:c%40nary@')
    await transport.send(aRequest(url))
    await transport.send(aRequest(url, { headers: { Authorization: 'Bearer t' } }))
    expect(receiver.requests.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('ana:c@nary').toString('base64')}`,
      'Bearer t',
    ])
    await receiver.close()
    const { message, details } = await failureOf(transport.send(aRequest(`${url}?token=canary`)))
    expect(message + JSON.stringify(details)).not.toMatch(/nary/)
  })

  test('cookies of one answer are not sent with the next request', async () => {
    const receiver = await aReceiver({ answer: { headers: { 'set-cookie': 'a=b' } } })
    const transport = aTransport(receiver)
    await transport.send(aRequest(receiver.url))
    await transport.send(aRequest(receiver.url))
    expect(receiver.requests[1]?.headers).not.toHaveProperty('cookie')
  })

  test('framing headers of the caller are not sent', async () => {
    const receiver = await aReceiver()
    const headers = {
      Host: 'other.test',
      'Content-Length': '99',
      'Transfer-Encoding': 'chunked',
      Connection: 'close',
    }
    await aTransport(receiver).send(aRequest(receiver.url, { headers }))
    expect(receiver.requests[0]?.headers).toMatchObject({
      host: `127.0.0.1:${receiver.port}`,
      'content-length': '2',
    })
    expect(receiver.requests[0]?.headers).not.toHaveProperty('transfer-encoding')
  })

  test.each([{ 'x-a': 'b\r\nx-c: d' }, { 'x a': 'b' }, { 'x-a': 'č\u0000' }])(
    'a header that cannot be written fails the request: %j',
    async (headers) => {
      const receiver = await aReceiver()
      const { kind } = await failureOf(
        aTransport(receiver).send(aRequest(receiver.url, { headers })),
      )
      expect([kind, receiver.requests.length]).toEqual(['request', 0])
    },
  )

  test('it sends over IPv6', async () => {
    const receiver = await aReceiver({ host: '::1' })
    const answer = await aTransport(receiver).send(aRequest(receiver.url))
    expect(answer).toMatchObject({ statusCode: 200, remoteAddress: '::1' })
  })

  test.each([{ deadlineMs: 0 }, { maxContentBytes: -1 }, { connectionsPerOrigin: 1.5 }])(
    '%j is no setting',
    (options) => {
      expect(() => new HttpTransport(options)).toThrow(
        expect.objectContaining({ code: 'WEBHOOK_INVALID_SETTING' }),
      )
    },
  )
})

describe('HTTP transport, about destinations', () => {
  test('plain http is refused', async () => {
    const receiver = await aReceiver()
    const sent = aTransport(receiver).send(aRequest(receiver.url.replace('https', 'http')))
    await expect(sent).rejects.toMatchObject({
      ...refused,
      message: 'Refusing to deliver to insecure destination',
    })
    expect(receiver.connections).toBe(0)
  })

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    'localhost',
  ])('%s is refused, and nothing connects', async (host) => {
    const receiver = await aReceiver()
    const transport = aTransport(receiver, { policy: { allow: [] } })
    const url = `https://${host}:${receiver.port}/`
    await expect(transport.send(aRequest(url))).rejects.toMatchObject(refused)
    expect(receiver.connections).toBe(0)
  })

  test('[::1] is refused, and nothing connects', async () => {
    const receiver = await aReceiver({ host: '::1' })
    const transport = aTransport(receiver, { policy: { allow: [] } })
    await expect(transport.send(aRequest(receiver.url))).rejects.toMatchObject(refused)
    expect(receiver.connections).toBe(0)
  })

  test.each([
    [['127.0.0.1']],
    [['192.0.2.1', '127.0.0.1']],
    [['8.8.8.8', '127.0.0.1']],
    [['127.0.0.1', '8.8.8.8']],
    [['::ffff:127.0.0.1']],
  ])('a name that resolves to %j is refused, and nothing connects', async (addresses) => {
    const receiver = await aReceiver({ names: ['offices.test'] })
    const transport = aTransport(receiver, {
      policy: { allow: [] },
      resolve: async () => addresses,
    })
    const sent = transport.send(aRequest(`https://offices.test:${receiver.port}/`))
    await expect(sent).rejects.toMatchObject({ ...refused, details: { host: 'offices.test' } })
    expect(receiver.connections).toBe(0)
  })

  test('a name that changes its address between validation and connecting is refused', async () => {
    const receiver = await aReceiver({ names: ['offices.test'] })
    const answers = [['8.8.8.8'], ['127.0.0.1']]
    const resolve = async () => answers.shift() ?? ['127.0.0.1']
    const url = `https://offices.test:${receiver.port}/`
    await new DestinationValidator({ resolve }).validateTarget(url)
    const transport = aTransport(receiver, { policy: { allow: [] }, resolve })
    await expect(transport.send(aRequest(url))).rejects.toMatchObject(refused)
    expect(receiver.connections).toBe(0)
  })

  test('a new connection to a known name is judged again', async () => {
    const receiver = await aReceiver({
      names: ['offices.test'],
      answer: { headers: { connection: 'close' } },
    })
    const answers = [['127.0.0.1'], ['127.0.0.2']]
    let nowMs = 0
    const transport = aTransport(receiver, {
      resolve: async () => answers.shift() ?? [],
      clock: {
        nowMs: () => Date.now(),
        monotonicMs: () => nowMs,
        sleep: (_ms, signal) =>
          new Promise((done) => signal?.addEventListener('abort', () => done())),
      },
    })
    const url = `https://offices.test:${receiver.port}/`
    await expect(transport.send(aRequest(url))).resolves.toMatchObject({ statusCode: 200 })
    nowMs += 5000
    await expect(transport.send(aRequest(url))).rejects.toMatchObject(refused)
    expect(receiver.requests).toHaveLength(1)
  })

  test('a permitted name is sent to, under its own certificate', async () => {
    const receiver = await aReceiver({ names: ['offices.test'] })
    const transport = aTransport(receiver, { resolve: async () => ['127.0.0.1'] })
    for (const host of ['offices.test', 'offices.test.']) {
      const answer = await transport.send(aRequest(`https://${host}:${receiver.port}/`))
      expect(answer).toMatchObject({ statusCode: 200, remoteAddress: '127.0.0.1' })
    }
  })

  test('a name that is not resolved fails with kind dns', async () => {
    const receiver = await aReceiver()
    const resolve = () => Promise.reject(new Error('NXDOMAIN'))
    const { kind } = await failureOf(
      aTransport(receiver, { resolve }).send(aRequest('https://offices.test/')),
    )
    expect(kind).toBe('dns')
  })

  test('name resolution counts towards the deadline', async () => {
    const receiver = await aReceiver()
    const transport = aTransport(receiver, {
      resolve: () => new Promise(() => {}),
      deadlineMs: 100,
    })
    const { kind } = await failureOf(transport.send(aRequest('https://offices.test/')))
    expect(['timeout', 'dns']).toContain(kind)
  })
})

describe('HTTP transport, about certificates', () => {
  test('one that nobody vouches for is not trusted', async () => {
    const receiver = await aReceiver()
    const { kind } = await failureOf(aTransport(receiver, { ca: [] }).send(aRequest(receiver.url)))
    expect([kind, receiver.requests.length]).toEqual(['tls', 0])
  })

  test('one for another host is not trusted', async () => {
    const certificate = await makeCertificate({ names: ['offices.test'] })
    const receiver = await aReceiver({ certificate })
    const { kind } = await failureOf(aTransport(receiver).send(aRequest(receiver.url)))
    expect([kind, receiver.requests.length]).toEqual(['tls', 0])
  })

  test('one that has expired is not trusted', async () => {
    const certificate = await makeCertificate({ notAfterMs: Date.now() - 1000 })
    const receiver = await aReceiver({ certificate })
    const { kind } = await failureOf(aTransport(receiver).send(aRequest(receiver.url)))
    expect([kind, receiver.requests.length]).toEqual(['tls', 0])
  })

  test('a receiver that does not speak TLS fails with kind tls', async () => {
    const { url } = await aTcpServer((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    const { kind } = await failureOf(aTransport(await aReceiver()).send(aRequest(url)))
    expect(kind).toBe('tls')
  })
})

describe('HTTP transport, facing a receiver that', () => {
  test('is silent: the request ends at the deadline, and its connection with it', async () => {
    const receiver = await aReceiver({ answer: { fault: 'silent' } })
    const transport = aTransport(receiver, { deadlineMs: 150, keepAliveMs: 20_000 })
    const { kind, message } = await failureOf(transport.send(aRequest(receiver.url)))
    expect(kind).toBe('timeout')
    expect(message).toBe(`Delivery to 127.0.0.1:${receiver.port} failed: no answer within 150 ms`)
    await untilNoConnections(receiver)
    expect(receiver.connections).toBe(1) // none is made in its place
  })

  test('never ends the TLS handshake: the connection ends at its deadline', async () => {
    let closed = (): void => {}
    const gone = new Promise<void>((resolve) => {
      closed = resolve
    })
    const { url } = await aTcpServer((socket) => socket.resume().on('close', closed))
    const transport = aTransport(await aReceiver(), { connectDeadlineMs: 100 })
    const { kind } = await failureOf(transport.send(aRequest(url)))
    expect(kind).toBe('timeout')
    await gone
  })

  test('drips headers: the request ends at the deadline', async () => {
    const receiver = await aReceiver({
      answer: (_request, response) => {
        const { socket } = response
        socket?.write('HTTP/1.1 200 OK\r\n')
        const timer = setInterval(() => socket?.write('x'), 10)
        socket?.on('close', () => clearInterval(timer))
        return undefined
      },
    })
    const transport = aTransport(receiver, { deadlineMs: 150, keepAliveMs: 20_000 })
    expect((await failureOf(transport.send(aRequest(receiver.url)))).kind).toBe('timeout')
    await untilNoConnections(receiver)
  })

  test('drips its body: the status counts, the body is cut at the deadline', async () => {
    const receiver = await aReceiver({ answer: { statusCode: 202, fault: 'drip' } })
    const transport = aTransport(receiver, { deadlineMs: 200 })
    const answer = await transport.send(aRequest(receiver.url))
    expect(answer).toMatchObject({ statusCode: 202, contentTruncated: true })
    expect(answer.content).toMatch(/^\.*$/)
    await untilNoConnections(receiver)
  })

  test('sends a body without end: what is allowed is kept, and the connection ends', async () => {
    const receiver = await aReceiver({
      answer: (_request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(10_000)));
        }
        response.on('drain', more)
        more()
        return undefined
      },
    })
    const answer = await aTransport(receiver).send(aRequest(receiver.url))
    expect(answer).toMatchObject({ statusCode: 200, contentTruncated: true })
    expect(answer.content).toBe('x'.repeat(65_536))
    await untilNoConnections(receiver)
  })

  test('sends exactly what is allowed: nothing is cut', async () => {
    const receiver = await aReceiver({ answer: { body: 'x'.repeat(100) } })
    const answer = await aTransport(receiver, { maxContentBytes: 100 }).send(aRequest(receiver.url))
    expect(answer).toMatchObject({ content: 'x'.repeat(100), contentTruncated: false })
  })

  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('answers in %s: it is read', async (encoding, compress) => {
    const receiver = await aReceiver({
      answer: (_request, response) => {
        response.writeHead(200, { 'content-encoding': encoding })
        response.end(compress('přijato'))
        return undefined
      },
    })
    const answer = await aTransport(receiver).send(aRequest(receiver.url))
    expect(answer).toMatchObject({ content: 'přijato', contentTruncated: false })
  })

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ] as const)(
    'answers with a %s bomb: no more than allowed comes of it',
    async (encoding, compress) => {
      const bomb = compress(Buffer.alloc(30_000_000, 'x'))
      expect(bomb.length).toBeLessThan(65_536)
      const receiver = await aReceiver({
        answer: (_request, response) => {
          response.writeHead(200, { 'content-encoding': encoding })
          response.end(bomb)
          return undefined
        },
      })
      const answer = await aTransport(receiver).send(aRequest(receiver.url))
      expect(answer.contentTruncated).toBe(true)
      expect(answer.content).toBe('x'.repeat(65_536))
    },
  )

  test.each(['gzip', 'gzip, gzip', 'zstd', 'constructor', '__proto__'])(
    'says %s and sends something else: the status counts, the content is cut',
    async (encoding) => {
      const receiver = await aReceiver({
        answer: { headers: { 'content-encoding': encoding }, body: 'plain' },
      })
      const answer = await aTransport(receiver).send(aRequest(receiver.url))
      expect(answer).toMatchObject({ statusCode: 200, content: '', contentTruncated: true })
    },
  )

  test('sends a line of headers that is too long: it fails with kind tooLarge', async () => {
    const receiver = await aReceiver({ answer: { headers: { 'x-long': 'x'.repeat(50_000) } } })
    expect((await failureOf(aTransport(receiver).send(aRequest(receiver.url)))).kind).toBe(
      'tooLarge',
    )
    await untilNoConnections(receiver)
  })

  test('sends too many headers: it fails with kind tooLarge', async () => {
    const receiver = await aReceiver({
      answer: (_request, { socket }) => {
        socket?.write(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(100_000)}\r\n`)
        return undefined
      },
    })
    expect((await failureOf(aTransport(receiver).send(aRequest(receiver.url)))).kind).toBe(
      'tooLarge',
    )
  })

  test('breaks the connection: it fails with kind connection', async () => {
    const receiver = await aReceiver({ answer: { fault: 'reset' } })
    expect((await failureOf(aTransport(receiver).send(aRequest(receiver.url)))).kind).toBe(
      'connection',
    )
  })

  test('breaks the connection within the body: it fails with kind connection', async () => {
    const receiver = await aReceiver({
      answer: (_request, response) => {
        response.writeHead(200, { 'content-length': '10' })
        response.write('12345', () => response.socket?.destroy())
        return undefined
      },
    })
    expect((await failureOf(aTransport(receiver).send(aRequest(receiver.url)))).kind).toBe(
      'connection',
    )
  })

  test('is not there: it fails with kind connection', async () => {
    const receiver = await aReceiver()
    const transport = aTransport(receiver)
    await receiver.close()
    const { kind, retryable } = await failureOf(transport.send(aRequest(receiver.url)))
    expect([kind, retryable]).toEqual(['connection', true])
  })

  test.each([
    ['garbage', '\u0000\u0001\u0002 nonsense\r\n\r\n'],
    ['HTTP/0.9', '<html>hello</html>\r\n\r\n'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
    ['100 Continue', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('answers with %s: it fails with kind protocol', async (_name, bytes) => {
    const receiver = await aReceiver({
      answer: (_request, { socket }) => {
        socket?.write(bytes)
        return undefined
      },
    })
    expect((await failureOf(aTransport(receiver).send(aRequest(receiver.url)))).kind).toBe(
      'protocol',
    )
  })

  test('sends early hints first: the answer is the one that counts', async () => {
    const receiver = await aReceiver({
      answer: (_request, { socket }) => {
        socket?.write(
          'HTTP/1.1 103 Early Hints\r\nx: 1\r\n\r\nHTTP/1.1 204 No Content\r\ny: 2\r\n\r\n',
        )
        return undefined
      },
    })
    const answer = await aTransport(receiver).send(aRequest(receiver.url))
    expect([answer.statusCode, answer.headers]).toEqual([204, { y: '2' }])
  })

  test('answered badly once is asked again on a sound connection', async () => {
    let asked = 0
    const receiver = await aReceiver({
      answer: () => (asked++ === 0 ? { fault: 'reset' } : { body: 'ok' }),
    })
    const transport = aTransport(receiver)
    await failureOf(transport.send(aRequest(receiver.url)))
    expect(await transport.send(aRequest(receiver.url))).toMatchObject({ content: 'ok' })
  })

  test('is silent does not hold up another one', async () => {
    const silent = await aReceiver({ answer: { fault: 'silent' } })
    const good = await aReceiver()
    const transport = aTransport(good, { ca: [silent.ca, good.ca], connectionsPerOrigin: 2 })
    const waiting = Array.from({ length: 10 }, () =>
      failureOf(transport.send(aRequest(silent.url))),
    )
    for (let n = 0; n < 20; n++) await transport.send(aRequest(good.url))
    expect(good.requests).toHaveLength(20)
    await transport.close()
    expect((await Promise.all(waiting)).map(({ kind }) => kind)).toEqual(Array(10).fill('aborted'))
  })
})

describe('HTTP transport, given up', () => {
  test('by the signal, the request fails with kind aborted and its connection ends', async () => {
    const receiver = await aReceiver({ answer: { fault: 'silent' } })
    const stop = new AbortController()
    const sent = aTransport(receiver).send(aRequest(receiver.url), { signal: stop.signal })
    const failed = failureOf(sent)
    await receiver.waitForRequests(1)
    stop.abort()
    expect((await failed).kind).toBe('aborted')
    await untilNoConnections(receiver)
  })

  test('before it begins, nothing connects', async () => {
    const receiver = await aReceiver()
    const sent = aTransport(receiver).send(aRequest(receiver.url), { signal: AbortSignal.abort() })
    expect((await failureOf(sent)).kind).toBe('aborted')
    expect(receiver.connections).toBe(0)
  })

  test('while it waits for a connection, the request is not sent later', async () => {
    const receiver = await aReceiver({ answer: { delayMs: 100 } })
    const transport = aTransport(receiver, { connectionsPerOrigin: 1 })
    const stop = new AbortController()
    const first = transport.send(aRequest(receiver.url, { body: 'first' }))
    const second = failureOf(
      transport.send(aRequest(receiver.url, { body: 'second' }), { signal: stop.signal }),
    )
    await receiver.waitForRequests(1)
    stop.abort()
    expect((await second).kind).toBe('aborted')
    await first
    await transport.send(aRequest(receiver.url, { body: 'third' }))
    expect(receiver.requests.map(({ body }) => body)).toEqual(['first', 'third'])
  })

  test('by closing the transport, also while a connection is being made', async () => {
    const { url } = await aTcpServer((socket) => socket.resume())
    const transport = aTransport(await aReceiver())
    const failed = failureOf(transport.send(aRequest(url)))
    await transport.close()
    expect((await failed).kind).toBe('aborted')
    expect((await failureOf(transport.send(aRequest(url)))).kind).toBe('aborted')
    await transport.close()
  })
})
