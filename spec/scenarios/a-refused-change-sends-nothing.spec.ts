import { afterEach, expect, test } from '@jest/globals'
import { Folder, IObjectAddedEvent, moveTo, traverse } from '../../lib/index.js'
import {
  aSubscribedOffice,
  attemptsOf,
  bodiesOf,
  EMPLOYEES,
  Employee,
  endAll,
} from '../support/webhooks-builders.js'

afterEach(endAll)

async function anOfficeThatRefusesEve() {
  const office = await aSubscribedOffice()
  office.db.registry.registerHandler(
    (_employee, { newName }) => {
      if (newName === 'Eve') throw new Error('Nobody of this name')
    },
    { for: [Employee, IObjectAddedEvent] },
  )
  return office
}

test('a refused addition sends nothing, and the transaction’s other changes are sent', async () => {
  const { db, transport } = await anOfficeThatRefusesEve()
  await db.transaction(({ root }) => {
    const employees = traverse(root, EMPLOYEES, Folder)
    employees.set('Ann', new Employee())
    expect(() => employees.set('Eve', new Employee())).toThrow('Nobody of this name')
    employees.set('Zoe', new Employee())
  })
  expect((await attemptsOf(db)).length).toBe(2)
  await db.webhooks.waitForPendingDeliveries()
  expect(bodiesOf(transport).map((body) => (body as { name: string }).name)).toEqual(['Ann', 'Zoe'])
})

test('an addition refused inside a subtree sends nothing of the subtree', async () => {
  const { db } = await anOfficeThatRefusesEve()
  await db.transaction(({ root }) => {
    const employees = traverse(root, EMPLOYEES, Folder)
    const team = new Folder()
    team.set('Ann', new Employee())
    db.registry.registerHandler(
      () => {
        throw new Error('No teams')
      },
      { for: [Folder, IObjectAddedEvent] },
    )
    expect(() => employees.set('team', team)).toThrow('No teams')
    expect(() => moveTo(team.getItem('Ann'), team)).not.toThrow()
  })
  expect(await attemptsOf(db)).toEqual([])
})
