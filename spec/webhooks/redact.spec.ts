import { describe, expect, test } from '@jest/globals'
import { redactHeaders, redactUrl } from '../../lib/webhooks/redact.js'

describe('Redaction', () => {
  test.each([
    'Authorization',
    'proxy-authorization',
    'Cookie',
    'Set-Cookie',
    'X-API-Key',
    'apikey',
    'X-Auth-Token',
    'x-gitlab-token',
    'Client-Secret',
    'x_access_key',
  ])('the value of %s is hidden', (name) => {
    expect(redactHeaders({ [name]: 'canary' })).toEqual({ [name]: '[redacted]' })
  })

  test.each([
    'content-type',
    'webhook-id',
    'webhook-signature',
    'x-author',
    'user-agent',
    'tokens-left',
  ])('the value of %s is kept', (name) => {
    expect(redactHeaders({ [name]: 'seen' })).toEqual({ [name]: 'seen' })
  })

  test('further names are hidden in any case', () => {
    expect(redactHeaders({ 'X-Office': 'a', 'X-Desk': 'b' }, ['x-office'])).toEqual({
      'X-Office': '[redacted]',
      'X-Desk': 'b',
    })
  })

  test('a URL loses user name and password', () => {
    expect(redactUrl('https://ana:secret@offices.test:8443/hook?a=1')).toBe(
      'https://offices.test:8443/hook?a=1',
    )
    expect(redactUrl('https://token@offices.test/')).toBe('https://offices.test/')
  })

  test('a URL without credentials stays as it was written', () => {
    expect(redactUrl('https://Offices.test')).toBe('https://Offices.test')
  })

  test('what is no URL is hidden', () => {
    expect(redactUrl('ana:secret@offices.test /')).toBe('[redacted]')
  })
})
