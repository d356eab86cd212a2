import { describe, expect, test } from '@jest/globals'
import { FakeClock, RecordingTransport } from '../../lib/testing/index.js'

const aRequest = { url: 'https://offices.test/', method: 'POST', headers: { a: 'b' }, body: '{}' }

describe('Recording transport', () => {
  test('it remembers what was sent, and answers 200', async () => {
    const transport = new RecordingTransport({ clock: new FakeClock(5) })
    expect(await transport.send(aRequest)).toMatchObject({ statusCode: 200, content: '' })
    expect(transport.requests).toEqual([{ ...aRequest, atMs: 5 }])
    transport.clear()
    expect(transport.requests).toEqual([])
  })

  test('answers come in turn, the last one for the rest', async () => {
    const transport = new RecordingTransport({
      answers: [500, { statusCode: 503, reason: 'Busy' }, () => 204],
    })
    const statuses = []
    for (let n = 0; n < 4; n++) statuses.push((await transport.send(aRequest)).statusCode)
    expect(statuses).toEqual([500, 503, 204, 204])
    transport.answer(418)
    expect((await transport.send(aRequest)).statusCode).toBe(418)
  })

  test('an error is thrown, also one that a function gives', async () => {
    const broken = new Error('broken')
    const transport = new RecordingTransport({ answers: [broken, async () => broken] })
    await expect(transport.send(aRequest)).rejects.toBe(broken)
    await expect(transport.send(aRequest)).rejects.toBe(broken)
  })

  test('a function decides by the request', async () => {
    const transport = new RecordingTransport({
      answers: [({ url }) => (url.endsWith('/good') ? 200 : 404)],
    })
    const good = await transport.send({ ...aRequest, url: 'https://offices.test/good' })
    const bad = await transport.send(aRequest)
    expect([good.statusCode, bad.statusCode]).toEqual([200, 404])
  })

  test('an answer that is long in coming ends with the signal', async () => {
    const transport = new RecordingTransport({ answers: [() => new Promise(() => {})] })
    const stop = new AbortController()
    const sent = transport.send(aRequest, { signal: stop.signal })
    stop.abort(new Error('stopped'))
    await expect(sent).rejects.toThrow('stopped')
    expect(transport.requests).toHaveLength(1)
  })

  test('it tells that it was closed', async () => {
    const transport = new RecordingTransport()
    expect(transport.isClosed).toBe(false)
    await transport.close()
    expect(transport.isClosed).toBe(true)
  })
})
