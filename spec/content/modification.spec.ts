import { expect, test } from '@jest/globals'
import { defineInterface } from '../../lib/component/index.js'
import { Attributes, IAttributes, ISequence, Sequence } from '../../lib/content/index.js'

const IPerson = defineInterface('content-spec.IPerson')

test('Attributes name an interface and fields of it', () => {
  const changed = new Attributes(IPerson, 'name', 'email')
  expect(changed).toMatchObject({ interface: IPerson, attributes: ['name', 'email'] })
  expect([IAttributes.providedBy(changed), ISequence.providedBy(changed)]).toEqual([true, false])
})

test('a Sequence names an interface and keys of entries', () => {
  const changed = new Sequence(undefined, 0, 'two')
  expect(changed).toMatchObject({ interface: undefined, keys: [0, 'two'] })
  expect([IAttributes.providedBy(changed), ISequence.providedBy(changed)]).toEqual([false, true])
})
