import type { TLSSocket } from 'node:tls'
import { afterEach, describe, expect, test } from '@jest/globals'
import { buildConnector, Client } from 'undici'
import {
  type LocalReceiver,
  type LocalReceiverOptions,
  startLocalReceiver,
} from '../../lib/testing/index.js'
import { type Connection, Exchange, GivenUp, type RawAnswer } from '../../lib/webhooks/exchange.js'

const opened: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function aReceiver(answer: LocalReceiverOptions['answer'] = 200): Promise<LocalReceiver> {
  const receiver = await startLocalReceiver({ answer })
  opened.push(() => receiver.close())
  return receiver
}

/** One connection to the receiver; sends exchanges over it, one after another. */
function aLine({ url, ca }: LocalReceiver): (exchange: Exchange, body?: string) => Exchange {
  const connection: Connection = { socket: undefined }
  const connect = buildConnector({ ca })
  const client = new Client(new URL(url).origin, {
    pipelining: 1,
    connect: (options, callback) =>
      connect(options, (...result) => {
        connection.socket = (result[1] as TLSSocket | null) ?? undefined
        callback(...result)
      }),
  })
  opened.push(() => client.destroy())
  return (exchange, body = '') => {
    exchange.connection = connection
    client.dispatch({ path: '/', method: 'POST', body }, exchange)
    return exchange
  }
}

function exchanged(receiver: LocalReceiver, maxBodyBytes = 1000): Promise<RawAnswer> {
  return aLine(receiver)(new Exchange(maxBodyBytes)).answer
}

/** Says when a status and the first bytes of the body are in. */
class WatchedExchange extends Exchange {
  sawStatus!: () => void
  readonly statusCame = new Promise<void>((resolve) => {
    this.sawStatus = resolve
  })
  sawBody!: () => void
  readonly bodyBegun = new Promise<void>((resolve) => {
    this.sawBody = resolve
  })

  override onResponseStart(...told: Parameters<Exchange['onResponseStart']>): void {
    super.onResponseStart(...told)
    this.sawStatus()
  }

  override onResponseData(...told: Parameters<Exchange['onResponseData']>): void {
    super.onResponseData(...told)
    this.sawBody()
  }
}

async function untilNoConnections(receiver: LocalReceiver): Promise<void> {
  while (receiver.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('Exchange', () => {
  test('gives status, headers and body as they came', async () => {
    const receiver = await aReceiver((_request, response) => {
      response.writeHead(201, 'Made', ['x-a', 'b', 'set-cookie', 'c=1', 'set-cookie', 'd=2'])
      response.write('při')
      response.end(Buffer.from([0xff, 0x00]))
      return undefined
    })
    expect(await exchanged(receiver)).toEqual({
      statusCode: 201,
      reason: 'Made',
      headers: expect.objectContaining({ 'x-a': 'b', 'set-cookie': 'c=1, d=2' }),
      remoteAddress: '127.0.0.1',
      body: Buffer.concat([Buffer.from('při'), Buffer.from([0xff, 0x00])]),
      isCut: false,
    })
  })

  test('an answer without a body has an empty one', async () => {
    const { statusCode, body, isCut } = await exchanged(await aReceiver(204))
    expect([statusCode, body.length, isCut]).toEqual([204, 0, false])
  })

  test('early hints are not the answer', async () => {
    const receiver = await aReceiver((_request, { socket }) => {
      socket?.write(
        'HTTP/1.1 103 Early Hints\r\nx: 1\r\n\r\nHTTP/1.1 204 No Content\r\ny: 2\r\n\r\n',
      )
      return undefined
    })
    expect(await exchanged(receiver)).toMatchObject({ statusCode: 204, headers: { y: '2' } })
  })

  test('a body as long as allowed is whole, and the connection is used again', async () => {
    const receiver = await aReceiver({ body: 'x'.repeat(100) })
    const send = aLine(receiver)
    for (let n = 0; n < 2; n++) {
      const { body, isCut } = await send(new Exchange(100)).answer
      expect([body.toString(), isCut]).toEqual(['x'.repeat(100), false])
    }
    expect(receiver.connections).toBe(1)
  })

  test('a longer one is cut, in whatever pieces it comes, and its connection ends', async () => {
    const receiver = await aReceiver((_request, response) => {
      response.writeHead(202)
      response.write('x'.repeat(60))
      response.end(`${'x'.repeat(40)}y`)
      return undefined
    })
    const { statusCode, body, isCut } = await exchanged(receiver, 100)
    expect([statusCode, body.toString(), isCut]).toEqual([202, 'x'.repeat(100), true])
    await untilNoConnections(receiver)
  })

  test('a connection that breaks in the middle of the body is a failure', async () => {
    const receiver = await aReceiver((_request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('12345', () => response.socket?.destroy())
      return undefined
    })
    await expect(exchanged(receiver)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' })
  })
})

describe('Exchange, given up', () => {
  test('before the status, fails for the reason given; its connection ends', async () => {
    const receiver = await aReceiver({ fault: 'silent' })
    const exchange = aLine(receiver)(new Exchange(100))
    const reason = new GivenUp('timeout', 'too late')
    const failed = expect(exchange.answer).rejects.toBe(reason)
    await receiver.waitForRequests(1)
    exchange.giveUp(reason)
    exchange.giveUp(new GivenUp('aborted', 'again'))
    await failed
    expect([reason.kind, reason.message]).toEqual(['timeout', 'too late'])
    await untilNoConnections(receiver)
    expect(receiver.connections).toBe(1) // none is made in its place
  })

  test('within the body, gives what has come; its connection ends', async () => {
    const receiver = await aReceiver({ statusCode: 202, fault: 'drip' })
    const exchange = new WatchedExchange(100)
    aLine(receiver)(exchange)
    await exchange.bodyBegun
    exchange.giveUp(new GivenUp('timeout', 'too late'))
    const { statusCode, body, isCut } = await exchange.answer
    expect([statusCode, isCut]).toEqual([202, true])
    expect(body.toString()).toMatch(/^\.+$/)
    await untilNoConnections(receiver)
  })

  test('after early hints only, fails', async () => {
    const receiver = await aReceiver((_request, { socket }) => {
      socket?.write('HTTP/1.1 103 Early Hints\r\nx: 1\r\n\r\n')
      return undefined
    })
    const exchange = new WatchedExchange(100)
    aLine(receiver)(exchange)
    await exchange.statusCame
    const reason = new GivenUp('timeout', 'too late')
    exchange.giveUp(reason)
    await expect(exchange.answer).rejects.toBe(reason)
  })

  test('while another has the connection, fails at once and is never sent', async () => {
    let answerFirst = (): void => {}
    const held = new Promise<void>((resolve) => {
      answerFirst = resolve
    })
    const receiver = await aReceiver(async ({ body }) => {
      if (body === 'first') await held
      return { body }
    })
    const send = aLine(receiver)
    const first = send(new Exchange(100), 'first')
    await receiver.waitForRequests(1)
    const second = send(new Exchange(100), 'second')
    const reason = new GivenUp('aborted', 'not wanted')
    second.giveUp(reason)
    await expect(second.answer).rejects.toBe(reason)
    answerFirst()
    expect((await first.answer).body.toString()).toBe('first')
    expect((await send(new Exchange(100), 'third').answer).body.toString()).toBe('third')
    expect(receiver.requests.map(({ body }) => body)).toEqual(['first', 'third'])
  })

  test('before it has a connection, fails at once and is never sent', async () => {
    const receiver = await aReceiver()
    const send = aLine(receiver)
    const first = send(new Exchange(100), 'first')
    first.giveUp(new GivenUp('aborted', 'not wanted'))
    await expect(first.answer).rejects.toMatchObject({ kind: 'aborted' })
    await send(new Exchange(100), 'second').answer
    expect(receiver.requests.map(({ body }) => body)).toEqual(['second'])
  })

  test('after its end, nothing happens', async () => {
    const receiver = await aReceiver({ body: 'ok' })
    const send = aLine(receiver)
    const exchange = send(new Exchange(100))
    const answer = await exchange.answer
    exchange.giveUp(new GivenUp('timeout', 'too late'))
    expect(await exchange.answer).toBe(answer)
    await send(new Exchange(100)).answer
    expect(receiver.connections).toBe(1)
  })
})
