import { afterEach, describe, expect, test } from '@jest/globals'
import { Folder, Site } from '../../lib/content/index.js'
import { oidOf } from '../../lib/persistence/index.js'
import { oidsOfClass } from '../../lib/persistence/objects-of-class.js'
import {
  aDatabase,
  closeDatabases,
  Employee,
  type TreeDatabase,
} from '../support/content-builders.js'

afterEach(closeDatabases)

async function oidsIn(db: TreeDatabase, someClass: typeof Folder, signal?: AbortSignal) {
  const oids: number[] = []
  for await (const oid of oidsOfClass(db.objects, someClass, { signal })) oids.push(oid)
  return oids
}

describe('Objects of a class', () => {
  test('are given by rising oid, without those of other classes and subclasses', async () => {
    const db = await aDatabase()
    expect(await oidsIn(db, Folder)).toEqual([])
    const folders = await db.transaction(({ root }) => {
      const made = ['a', 'b', 'c'].map((name) => root.set(name, new Folder()))
      root.set('site', new Site()).siteManager.delete('default')
      root.set('bob', new Employee())
      return made
    })
    const expected = await db.view(() => folders.map((folder) => oidOf(folder) as number))
    expect(await oidsIn(db, Folder)).toEqual(expected)
  })

  test('stop when asked', async () => {
    const db = await aDatabase()
    await db.transaction(({ root }) => root.set('a', new Folder()))
    await expect(oidsIn(db, Folder, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    )
  })
})
