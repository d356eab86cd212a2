import { describe, expect, test } from '@jest/globals'
import { componentNamed, nameComponent, nameOfComponent } from '../../lib/component/index.js'

describe('A named component', () => {
  test('is found by its name, and has it', () => {
    const reportOf = nameComponent('named-spec.reportOf', (title: string) => ({ title }))
    expect(reportOf('x')).toEqual({ title: 'x' })
    expect(componentNamed('named-spec.reportOf')).toBe(reportOf)
    expect(nameOfComponent(reportOf)).toBe('named-spec.reportOf')
  })

  test('may be any object, and named so again', () => {
    const service = nameComponent('named-spec.service', { port: 1 })
    expect(nameComponent('named-spec.service', service)).toBe(service)
  })

  test('is one of one name', () => {
    const one = nameComponent('named-spec.one', {})
    const taken = expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' })
    expect(() => nameComponent('named-spec.one', {})).toThrow(taken)
    expect(() => nameComponent('named-spec.two', one)).toThrow(taken)
  })

  test.each(['', 'two words', undefined])('is not named %j', (name) => {
    expect(() => nameComponent(name as string, {})).toThrow('cannot name a component')
  })

  test('that is missing is named by the error', () => {
    expect(() => componentNamed('named-spec.gone')).toThrow(
      expect.objectContaining({
        code: 'COMPONENT_UNKNOWN',
        message: expect.stringContaining("nameComponent('named-spec.gone'"),
      }),
    )
    expect(nameOfComponent(() => 1)).toBeUndefined()
    expect(nameOfComponent('text')).toBeUndefined()
  })
})
