import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { expandedContent, isCompressed, plainContent } from '../../lib/webhooks/response-content.js'

type Body = Parameters<typeof plainContent>[0]

function aBody(body: Buffer | string, headers: Body['headers'] = {}, isCut = false): Body {
  return { headers, body: Buffer.from(body), isCut }
}

describe('Response content, compressed or not', () => {
  test.each([
    [undefined, false],
    ['', false],
    ['identity', false],
    [' Identity ', false],
    ['gzip', true],
    ['zstd', true],
    ['gzip, gzip', true],
  ])('%p: %p', (encoding, compressed) => {
    const headers = encoding === undefined ? {} : { 'content-encoding': encoding }
    expect(isCompressed(aBody('x', headers))).toBe(compressed)
  })

  test('an empty body is not, whatever its headers say', () => {
    expect(isCompressed(aBody('', { 'content-encoding': 'gzip' }))).toBe(false)
  })
})

describe('Response content, plain', () => {
  test('is UTF-8 unless the headers say otherwise', () => {
    expect(plainContent(aBody('přijato'))).toEqual({ content: 'přijato', isCut: false })
    expect(plainContent(aBody('přijato', { 'content-type': 'text/plain' })).content).toBe('přijato')
  })

  test.each([
    'text/plain; charset=iso-8859-2',
    'text/plain;charset="ISO-8859-2"',
    'text/html; level=1; Charset=latin2; x=y',
  ])('is read in the charset of %s', (type) => {
    const body = Buffer.from([0x70, 0xf8, 0x69, 0x6a]) // 0xf8 is no UTF-8
    expect(plainContent(aBody(body, { 'content-type': type })).content).toBe('přij')
  })

  test('in a charset nobody knows is read as UTF-8', () => {
    const headers = { 'content-type': 'text/plain; charset=klingon' }
    expect(plainContent(aBody('přijato', headers)).content).toBe('přijato')
  })

  test('of a body that is cut is cut', () => {
    expect(plainContent(aBody('x', {}, true))).toEqual({ content: 'x', isCut: true })
  })
})

describe('Response content, expanded', () => {
  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    [' GZIP ', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('from %p is the text it was', async (encoding, compress) => {
    const body = aBody(compress('přijato'), { 'content-encoding': encoding })
    expect(await expandedContent(body, 100)).toEqual({ content: 'přijato', isCut: false })
  })

  test('is read in its charset', async () => {
    const headers = { 'content-encoding': 'gzip', 'content-type': 'text/plain; charset=iso-8859-2' }
    const body = aBody(gzipSync(Buffer.from([0x70, 0xf8])), headers)
    expect((await expandedContent(body, 100)).content).toBe('př')
  })

  test('is cut above the limit, not at it', async () => {
    const body = aBody(gzipSync('x'.repeat(50_000)), { 'content-encoding': 'gzip' })
    expect(await expandedContent(body, 50_000)).toEqual({
      content: 'x'.repeat(50_000),
      isCut: false,
    })
    expect(await expandedContent(body, 49_999)).toEqual({
      content: 'x'.repeat(49_999),
      isCut: true,
    })
  })

  test('of a body that is cut is what its bytes give', async () => {
    const text = Array.from({ length: 30_000 }, (_, n) => n).join(' ')
    const bytes = gzipSync(text)
    const half = bytes.subarray(0, bytes.length / 2)
    const { content, isCut } = await expandedContent(
      aBody(half, { 'content-encoding': 'gzip' }, true),
      1_000_000,
    )
    expect(isCut).toBe(true)
    expect(content.length).toBeGreaterThan(0)
    expect(text.startsWith(content)).toBe(true)
  })

  test('of a whole one whose body is said to be cut is cut', async () => {
    const body = aBody(gzipSync('x'), { 'content-encoding': 'gzip' }, true)
    expect(await expandedContent(body, 100)).toEqual({ content: 'x', isCut: true })
  })

  test('of what is not compressed as it says is nothing', async () => {
    const body = aBody('plain', { 'content-encoding': 'gzip' })
    expect(await expandedContent(body, 100)).toEqual({ content: '', isCut: true })
  })

  test.each(['gzip, gzip', 'zstd', 'constructor', '__proto__'])(
    'from %s is nothing',
    async (encoding) => {
      const body = aBody(gzipSync(gzipSync('x')), { 'content-encoding': encoding })
      expect(await expandedContent(body, 100)).toEqual({ content: '', isCut: true })
    },
  )
})
