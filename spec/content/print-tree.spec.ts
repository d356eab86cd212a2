import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { Contained, Folder, formatTree, printTree, type Site } from '../../lib/content/index.js'
import { anOffice, closeDatabases, Employee, inTransaction } from '../support/content-builders.js'

afterEach(closeDatabases)

const OFFICE = `<IRoot>: /
    <ISite>: NOAA
        <ISite>: NWS
            <ISite>: OUN
                employees
                    Bob => <Employee>`

describe('The tree as text', () => {
  test('has a line for each object, indented by its depth', async () => {
    const db = await anOffice()
    await db.view(({ root }) => expect(formatTree(root)).toBe(OFFICE))
  })

  test('shows site managers when asked', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const oun = (root.getItem('NOAA') as Site).getItem('NWS')
      expect(formatTree(oun, { siteManagers: true })).toBe(
        `<ISite>: NWS
    ++etc++site
        default
    <ISite>: OUN
        ++etc++site
            default
        employees
            Bob => <Employee>`,
      )
    })
  })

  test('ends at the depth that is asked', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      expect(formatTree(root, { depth: 0 })).toBe('<IRoot>: /')
      expect(formatTree(root, { depth: 2 })).toBe(OFFICE.split('\n').slice(0, 3).join('\n'))
    })
  })

  test('has items in the order of names, and the class of one that is no folder', () =>
    inTransaction((root) => {
      class Loose extends Contained {}
      root.set('b', new Employee())
      root.set('a', new Folder())
      expect(formatTree(root)).toBe('<IRoot>: /\n    a\n    b => <Employee>')
      expect(formatTree(new Loose())).toBe('(no name) => <Loose>')
      expect(formatTree(new Folder())).toBe('(no name)')
    }))

  test('is printed on standard output', async () => {
    const db = await anOffice()
    const log = jest.spyOn(console, 'log').mockImplementation(() => {})
    try {
      await db.view(({ root }) => printTree(root))
      expect(log.mock.calls).toEqual([[OFFICE]])
    } finally {
      log.mockRestore()
    }
  })
})
