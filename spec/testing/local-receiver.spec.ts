import { request } from 'node:https'
import { describe, expect, test } from '@jest/globals'
import { makeCertificate, startLocalReceiver } from '../../lib/testing/index.js'

function post(url: string, ca: string, body = 'hello'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', ca, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('Local receiver', () => {
  test('it receives over HTTPS, under a certificate for 127.0.0.1 and localhost', async () => {
    const receiver = await startLocalReceiver()
    const { url, port, ca } = receiver
    expect(url).toBe(`https://127.0.0.1:${port}/`)
    expect(await post(`${url}hook?a=1`, ca)).toEqual({ status: 200, body: '' })
    expect(await post(`https://localhost:${port}/`, ca)).toEqual({ status: 200, body: '' })
    await receiver.waitForRequests(2)
    expect(receiver.requests[0]).toMatchObject({
      method: 'POST',
      path: '/hook?a=1',
      body: 'hello',
      headers: { host: `127.0.0.1:${port}` },
      atMs: expect.any(Number),
    })
    expect(receiver.connections).toBe(2)
    await receiver.close()
    await receiver.close()
    await expect(post(url, ca)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('it answers as described, or as a function says', async () => {
    const receiver = await startLocalReceiver({
      answer: ({ path }, response) => {
        if (path === '/status') return 418
        if (path === '/described') return { statusCode: 503, body: 'busy' }
        response.writeHead(201)
        response.end('own')
        return undefined
      },
    })
    const { url, ca } = receiver
    expect(await post(`${url}status`, ca)).toEqual({ status: 418, body: '' })
    expect(await post(`${url}described`, ca)).toEqual({ status: 503, body: 'busy' })
    expect(await post(`${url}own`, ca)).toEqual({ status: 201, body: 'own' })
    await receiver.close()
  })

  test('it breaks the connection when told to', async () => {
    const receiver = await startLocalReceiver({ answer: { fault: 'reset' } })
    await expect(post(receiver.url, receiver.ca)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(receiver.requests).toHaveLength(1)
    await receiver.close()
  })

  test('closing ends what is open', async () => {
    const receiver = await startLocalReceiver({ answer: { fault: 'silent' } })
    const sent = expect(post(receiver.url, receiver.ca)).rejects.toMatchObject({
      code: 'ECONNRESET',
    })
    await receiver.waitForRequests(1)
    await receiver.close()
    await sent
    expect(receiver.openConnections).toBe(0)
  })

  test('it shows the certificate it is given', async () => {
    const certificate = await makeCertificate({ names: ['offices.test'] })
    const receiver = await startLocalReceiver({ certificate })
    expect(receiver.ca).toBe(certificate.cert)
    await expect(post(receiver.url, receiver.ca)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    await receiver.close()
  })
})
