import { describe, expect, test } from '@jest/globals'
import { defineInterface, implementedBy } from '../../lib/component/index.js'
import { newRow } from '../../lib/component/registration.js'

const IMailer = defineInterface('test.IMailer')

function nothing(): void {}

describe('Registration', () => {
  test('is frozen, unnamed and without info unless they are given', () => {
    const row = newRow({ kind: 'utility', required: [], provided: IMailer, component: 'mailer' })
    expect(row).toEqual({
      kind: 'utility',
      required: [],
      provided: IMailer,
      name: '',
      component: 'mailer',
      info: '',
    })
    expect(Object.isFrozen(row)).toBe(true)
    expect(Object.isFrozen(row.required)).toBe(true)
  })

  test('requires the specification of a class where a class is named', () => {
    class Office {}
    const row = newRow({
      kind: 'handler',
      required: [Office, IMailer],
      provided: undefined,
      component: nothing,
    })
    expect(row.required).toEqual([implementedBy(Office), IMailer])
  })

  test.each([
    ['no interface', { kind: 'adapter', required: [IMailer], provided: {}, component: nothing }],
    ['no text', { kind: 'utility', required: [], provided: IMailer, component: 1, name: 5 }],
    ['no function', { kind: 'handler', required: [IMailer], component: {} }],
    [
      'at least one object',
      { kind: 'subscriber', required: [], provided: IMailer, component: nothing },
    ],
    ['it has a name', { kind: 'handler', required: [IMailer], component: nothing, name: 'n' }],
    [
      'it has a name',
      { kind: 'subscriber', required: [IMailer], provided: IMailer, component: nothing, name: 'n' },
    ],
    ['an interface, class or', { kind: 'handler', required: ['IMailer'], component: nothing }],
  ])('is refused with: %s', (why, options) => {
    expect(() => newRow(options as never)).toThrow(
      expect.objectContaining({
        code: 'COMPONENT_INVALID_REGISTRATION',
        message: expect.stringMatching(new RegExp(why, 'i')),
      }),
    )
  })
})
