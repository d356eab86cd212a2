import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  Contained,
  copyOf,
  exportObject,
  Folder,
  LEFT_OUT_OF_COPIES,
  pathOf,
  Site,
  traverse,
} from '../../lib/content/index.js'
import { BTree, field, importObject, oidOf, stored } from '../../lib/persistence/index.js'
import { formatOid } from '../../lib/storage/index.js'
import {
  anOffice,
  closeDatabases,
  Employee,
  type TreeDatabase,
} from '../support/content-builders.js'

afterEach(closeDatabases)

@stored('content-spec.Linked')
class Linked extends Contained {
  @field accessor links: readonly unknown[] = []
}

async function exported(db: TreeDatabase, path: string) {
  const to = new PassThrough()
  const [content, summary] = await Promise.all([
    text(to),
    db.view(({ root }) => exportObject(traverse(root, path, Contained), to)),
  ])
  return { content, summary }
}

@stored('content-spec.Record')
class Record extends Contained {
  static readonly [LEFT_OUT_OF_COPIES] = true
}

describe('Export of a located object', () => {
  test('has all that is inside, and can be put elsewhere', async () => {
    const db = await anOffice()
    const { content } = await exported(db, '/NOAA/NWS/OUN')
    const { root: oid } = await importObject(db.objects, Readable.from([content]))
    await db.transaction(({ root, connection }) => {
      root.set('again', connection.get(oid) as Site)
    })
    await db.view(({ root }) => {
      expect(pathOf(traverse(root, '/again/employees/Bob', Employee))).toBe('/again/employees/Bob')
      expect(traverse(root, '/again', Site).siteManager.__parent__).toBe(traverse(root, '/again'))
      expect(oidOf(traverse(root, '/again', Site))).not.toBe(
        oidOf(traverse(root, '/NOAA/NWS/OUN', Site)),
      )
    })
  })

  test('leaves out, and lists, what has its place elsewhere', async () => {
    const db = await anOffice()
    const outside = await db.transaction(({ root }) => {
      const folder = root.set('folder', new Folder())
      const inside = folder.set('deep', new Folder()).set('inside', new Employee())
      const loose = new BTree<string, unknown>().set('inside', inside)
      const bob = traverse(root, '/NOAA/NWS/OUN/employees/Bob', Employee)
      const linked = folder.set('linked', new Linked())
      linked.links = [inside, loose, new Employee(), bob, root]
      return [oidOf(root)!, oidOf(bob)!]
    })
    const { content, summary } = await exported(db, '/folder')
    expect([...summary.outside].sort()).toEqual(outside.sort())
    // folder, deep, linked, inside, loose and the employee without a place
    expect(summary).toMatchObject({ objects: 6, entries: 4 })
    for (const oid of outside) {
      expect(content).toContain(`{"$outside":"${formatOid(oid)}"}`)
      expect(content).not.toContain(`"oid":"${formatOid(oid)}"`)
    }
  })

  test('goes without items that no copy has, and does not list them', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      const folder = root.set('folder', new Folder())
      for (const name of ['a', 'b', 'c']) folder.set(name, new Record())
      folder.set('Bob', new Employee())
      expect([...copyOf(folder).keys()]).toEqual(['Bob'])
      expect(copyOf(folder.getItem('a'))).toBeInstanceOf(Record)
    })
    const { content, summary } = await exported(db, '/folder')
    expect(summary).toMatchObject({ objects: 2, entries: 1 })
    expect(summary.outside).toHaveLength(1) // the root folder
    const { root: oid } = await importObject(db.objects, Readable.from([content]))
    await db.transaction(({ root, connection }) => {
      const again = root.set('again', connection.get(oid) as Folder)
      expect([[...again.keys()], again.size]).toEqual([['Bob'], 1])
    })
  })
})
