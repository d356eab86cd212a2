import { afterEach, describe, expect, test } from '@jest/globals'
import { Folder } from '../../lib/content/index.js'
import { grantsOf, type RemoveGrantsReport, removeGrants } from '../../lib/security/index.js'
import { closeDatabases } from '../support/content-builders.js'
import { anOffice, READ, READER, type SecureDatabase } from '../support/security-builders.js'

afterEach(closeDatabases)

const FOLDERS = 25

/** Each folder grants bob a permission and a role, and ada a permission. */
function aGrantingDatabase(): Promise<SecureDatabase> {
  return anOffice((root) => {
    for (let i = 0; i < FOLDERS; i++) {
      const grants = grantsOf(root.set(`folder${i}`, new Folder()))
      grants.allow({ principal: 'bob', permission: READ })
      grants.deny({ principal: 'bob', role: READER })
      grants.allow({ principal: 'ada', permission: READ })
    }
  })
}

function rowsIn({ db }: SecureDatabase): Promise<number> {
  return db.view(({ root }) => {
    let rows = 0
    for (const folder of root.values()) rows += grantsOf(folder).size
    return rows
  })
}

describe('Removing the grants of a principal', () => {
  test('finds all of them, and leaves those of others', async () => {
    const office = await aGrantingDatabase()
    const report = await removeGrants(office.db.objects, 'bob')
    expect(report).toEqual({ places: FOLDERS, rows: 2 * FOLDERS })
    expect(await rowsIn(office)).toBe(FOLDERS)
    expect(await removeGrants(office.db.objects, 'bob')).toEqual({ places: 0, rows: 0 })
    expect(await removeGrants(office.db.objects, 'nobody')).toEqual({ places: 0, rows: 0 })
  })

  test('works in pages, tells how far it is, and stops when asked', async () => {
    const office = await aGrantingDatabase()
    const controller = new AbortController()
    const told: RemoveGrantsReport[] = []
    const removing = removeGrants(office.db.objects, 'bob', {
      pageSize: 10,
      signal: controller.signal,
      onProgress: (progress) => {
        told.push(progress)
        if (told.length === 2) controller.abort(new Error('enough'))
      },
    })
    await expect(removing).rejects.toThrow('enough')
    expect(told.map(({ places }) => places)).toEqual([10, 20])
    expect(await rowsIn(office)).toBe(3 * FOLDERS - 40)
  })

  test('goes on when an object is removed meanwhile', async () => {
    const office = await aGrantingDatabase()
    const removing = removeGrants(office.db.objects, 'bob', {
      pageSize: 5,
      onProgress: () => void office.db.transaction(({ root }) => root.delete('folder24')),
    })
    expect((await removing).rows).toBeGreaterThanOrEqual(2 * (FOLDERS - 1))
    expect(await rowsIn(office)).toBe(FOLDERS - 1)
  })

  test('refuses what is no id, and no page', async () => {
    const { db } = await anOffice()
    await expect(removeGrants(db.objects, 'a b')).rejects.toMatchObject({
      code: 'SECURITY_INVALID_ID',
    })
    await expect(removeGrants(db.objects, 'bob', { pageSize: 0 })).rejects.toMatchObject({
      code: 'PERSISTENCE_INVALID_RANGE',
    })
  })
})
