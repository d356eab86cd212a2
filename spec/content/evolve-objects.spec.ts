import { afterEach, describe, expect, test } from '@jest/globals'
import { evolveObjects, evolveSchemas, Folder, traverse } from '../../lib/content/index.js'
import {
  aDatabaseWith,
  closeDatabases,
  codeOfThrown,
  Employee,
} from '../support/content-builders.js'

afterEach(closeDatabases)

function aCompany(): ReturnType<typeof aDatabaseWith> {
  return aDatabaseWith((root) => {
    for (const office of ['Austin', 'Norman']) {
      const folder = root.set(office, new Folder())
      for (const name of ['Ada', 'Bob', 'Eve', 'Joe']) folder.set(name, new Employee())
    }
  })
}

async function titles(db: Awaited<ReturnType<typeof aCompany>>): Promise<string[]> {
  return db.view(({ root }) =>
    [...root.values()].flatMap((office) =>
      [...(office as Folder<Employee>).values()].map(({ title }) => title),
    ),
  )
}

function promote(employee: Employee, title: string): void {
  employee.title = title
}

const schemaWith = (step: ReturnType<typeof evolveObjects<Employee>>) => ({
  name: 'company',
  generation: 1,
  minimumGeneration: 1,
  steps: { 1: step },
  unrecordedGeneration: 0,
})

describe('A step for objects', () => {
  test.each([1, 2, 3, 1000])('changes each one once, by %d', async (batchSize) => {
    const db = await aCompany()
    const { lastTid } = db.objects
    const step = evolveObjects({
      about: 'promotions',
      providing: Employee,
      change: (it) => promote(it, `${it.title}!`),
      batchSize,
    })
    expect(step.about).toBe('promotions')
    await evolveSchemas(db.objects, [schemaWith(step)])
    expect(await titles(db)).toEqual(Array(8).fill('!'))
    // Eleven objects, with the root folder; one more batch to see that there is no more.
    expect(db.objects.lastTid - lastTid).toBe(Math.floor(11 / batchSize) + 1)
  })

  test('changes those that match, below a folder', async () => {
    const db = await aCompany()
    const step = evolveObjects<Employee>({
      in: ({ root }) => traverse(root, '/Norman', Folder),
      providing: Employee,
      matching: ({ __name__ }) => __name__ !== 'Bob',
      change: (it, { generation }) => promote(it, String(generation)),
    })
    await evolveSchemas(db.objects, [schemaWith(step)])
    expect(await titles(db)).toEqual(['', '', '', '', '1', '', '1', '1'])
  })

  test('waits for changes that take time', async () => {
    const db = await aCompany()
    const step = evolveObjects<Employee>({
      providing: Employee,
      change: async (it) => {
        await new Promise(setImmediate)
        promote(it, 'late')
      },
      batchSize: 4,
    })
    await evolveSchemas(db.objects, [schemaWith(step)])
    expect(await titles(db)).toEqual(Array(8).fill('late'))
  })

  test('goes on behind objects that are gone', async () => {
    const db = await aCompany()
    const step = evolveObjects<Employee>({
      providing: Employee,
      change: (it) => void (it.__parent__ as Folder).delete(it.__name__!),
      batchSize: 3,
    })
    await evolveSchemas(db.objects, [schemaWith(step)])
    expect(await titles(db)).toEqual([])
  })

  test.each([0, -1, 1.5, Number.NaN])('refuses batches of %d objects', (batchSize) => {
    expect(codeOfThrown(() => evolveObjects({ change: () => {}, batchSize }))).toBe(
      'CONTENT_INVALID_SCHEMA',
    )
  })
})
