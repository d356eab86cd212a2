import { afterEach, describe, expect, test } from '@jest/globals'
import { Folder, nameOf, Site, treeOf } from '../../lib/content/index.js'
import { anOffice, closeDatabases, Employee, inTransaction } from '../support/content-builders.js'

afterEach(closeDatabases)

describe('The tree as data', () => {
  test('is plain objects, which JSON can hold', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const tree = treeOf(root)
      expect(tree).toMatchObject({
        name: undefined,
        class: 'treehook.RootFolder',
        isRoot: true,
        isSite: false,
        size: 1,
      })
      const noaa = tree.children?.[0]
      expect(noaa).toMatchObject({ name: 'NOAA', isSite: true, isRoot: false, isBroken: false })
      expect(noaa?.oid).toMatch(/^[0-9a-f]{16}$/)
      expect(JSON.parse(JSON.stringify(tree)).children[0].children[0].name).toBe('NWS')
    })
  })

  test('has no children for what is no container, and none yet where the depth ends', () =>
    inTransaction((root) => {
      root.set('folder', new Folder()).set('Bob', new Employee())
      root.set('Ann', new Employee())
      const [ann, folder] = treeOf(root, { depth: 1 }).children ?? []
      expect([ann?.size, ann?.children]).toEqual([undefined, undefined])
      expect([folder?.size, folder?.children]).toEqual([1, []])
    }))

  test('has site managers, and so many items as are asked', () =>
    inTransaction((root) => {
      const site = root.set('site', new Site())
      for (const name of ['a', 'b', 'c']) site.set(name, new Employee())
      const tree = treeOf(site, { siteManagers: true, items: 2 })
      expect(tree.children?.map(({ name }) => name)).toEqual(['++etc++site', 'a', 'b'])
      expect(tree.size).toBe(3)
    }))

  test('tells where the place of an object is that is found elsewhere', () =>
    inTransaction((root) => {
      const [one, two] = [root.set('one', new Folder()), root.set('two', new Folder())]
      const bob = one.set('Bob', new Employee())
      two.set('Robert', bob)
      expect(nameOf(bob)).toBe('Robert')
      expect(treeOf(one).children?.[0]).toMatchObject({ name: 'Bob', placeIs: '/two/Robert' })
      expect(treeOf(two).children?.[0]?.placeIs).toBeUndefined()
    }))
})
