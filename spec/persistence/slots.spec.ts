import { expect, test } from '@jest/globals'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { Reference } from '../../lib/persistence/reference.js'
import { NO_OID, Slots, UNOWNED } from '../../lib/persistence/slots.js'
import { toOid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'

test('the slots of a new object belong to nobody, and have values of their own', () => {
  const [one, other] = [Slots.ofNew(layoutOf(Employee)), Slots.ofNew(layoutOf(Employee))]
  one.values[0] = 'changed'
  expect([one.owner, one.oid, one.changed, one.committed]).toEqual([
    UNOWNED,
    NO_OID,
    false,
    undefined,
  ])
  expect([other.values, layoutOf(Employee).initialValues[0]]).toEqual([
    [undefined, undefined, undefined, undefined],
    undefined,
  ])
})

test('who owns new objects allows every write and has nothing stored', () => {
  const { owner } = Slots.ofNew(layoutOf(Employee))
  expect(owner.isWriting).toBe(true)
  expect(() => owner.assertWritable(new Employee())).not.toThrow()
  expect(() => owner.nodeSource.node(new Reference(toOid(1)))).toThrow()
})
