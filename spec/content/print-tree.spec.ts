import { afterEach, describe, expect, jest, test } from '@jest/globals'
import {
  Contained,
  Folder,
  formatTree,
  printTree,
  type Site,
  treeLines,
} from '../../lib/content/index.js'
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

  test('ends each container at so many items as are asked', () =>
    inTransaction((root) => {
      const folder = root.set('folder', new Folder())
      for (const name of ['a', 'b', 'c']) folder.set(name, new Employee())
      expect(formatTree(folder, { items: 2 })).toBe(
        'folder\n    a => <Employee>\n    b => <Employee>\n    … and 1 more',
      )
      expect(formatTree(folder, { items: 3 })).not.toContain('more')
    }))

  test('has classes, sizes and oids when details are asked', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const [first, second] = formatTree(root, { details: true, depth: 1 }).split('\n')
      expect(first).toMatch(/^<IRoot>: \/ \(treehook\.RootFolder, 1 item, [0-9a-f]{16}\)$/)
      expect(second).toMatch(/^ {4}<ISite>: NOAA \(treehook\.Site, 1 item, [0-9a-f]{16}\)$/)
    })
  })

  test('has an arrow where an object is found that has its place elsewhere', () =>
    inTransaction((root) => {
      const folder = root.set('folder', new Folder())
      folder.set('Bob', new Employee())
      const other = root.set('other', new Folder())
      other.set('in', folder)
      expect(formatTree(root)).toBe(
        [
          '<IRoot>: /',
          '    folder -> /other/in',
          '    other',
          '        in',
          '            Bob => <Employee>',
        ].join('\n'),
      )
    }))

  test('has a line for each object, whatever its name', () =>
    inTransaction((root) => {
      root.set('two\nlines', new Employee())
      expect(formatTree(root)).toBe('<IRoot>: /\n    "two\\nlines" => <Employee>')
    }))

  test('comes line by line, and loads what is not printed yet only then', async () => {
    const db = await anOffice()
    db.objects.cacheClear()
    await db.view(({ root, connection }) => {
      const lines = treeLines(root)
      lines.next()
      const before = connection.counters.loads
      expect(lines.next().value).toBe('    <ISite>: NOAA')
      expect(connection.counters.loads - before).toBe(1)
    })
  })

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
