import { describe, expect, test } from '@jest/globals'
import { REDACTED } from '../../lib/webhooks/redact.js'
import { secretsOf, withoutSecrets } from '../../lib/webhooks/secrets.js'

function cleaned(text: string, url: string, headers: Record<string, string> = {}): string {
  return withoutSecrets(text, secretsOf({ url, headers }))
}

describe('The secrets of a request', () => {
  test('are none without credentials and secret headers', () => {
    const headers = { 'Content-Type': 'application/json' }
    expect(secretsOf({ url: 'https://example.com/hook?mail=a@b', headers })).toEqual([])
  })

  test.each([
    ['as they are in the URL', 'to https://bob:s3cr%40t@example.com failed'],
    ['the password alone', 'wrong password s3cr%40t'],
    ['the password decoded', 'wrong password s3cr@t'],
    ['as Basic authorization', `Authorization: Basic ${btoa('bob:s3cr@t')}`],
  ])('are hidden %s', (_what, text) => {
    const safe = cleaned(text, 'https://bob:s3cr%40t@example.com/hook')
    expect(safe).toContain(REDACTED)
    expect(safe).not.toContain('s3cr')
    expect(safe).not.toContain(btoa('bob:s3cr@t'))
  })

  test('a user name without a password is one', () => {
    expect(cleaned('token abc123 is invalid', 'https://abc123@example.com')).toBe(
      `token ${REDACTED} is invalid`,
    )
  })

  test('a user name beside a password is not', () => {
    expect(cleaned('bob is unknown', 'https://bobby:s3cret@example.com')).toBe('bob is unknown')
  })

  test('of headers are hidden, with and without their scheme', () => {
    const headers = { Authorization: 'Bearer tok-123', 'X-Api-Key': 'key-456' }
    expect(cleaned('got Bearer tok-123, tok-123 and key-456', 'https://x.example', headers)).toBe(
      `got ${REDACTED}, ${REDACTED} and ${REDACTED}`,
    )
  })

  test('too short to be told from text stay', () => {
    expect(cleaned('a cat sat', 'https://u:at@example.com')).toBe('a cat sat')
  })

  test('of a URL that cannot be decoded are hidden as they are', () => {
    expect(cleaned('x %E0%A4%A y', 'https://u:%E0%A4%A@example.com')).toBe(`x ${REDACTED} y`)
  })
})
