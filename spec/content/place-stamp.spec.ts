import { afterEach, expect, test } from '@jest/globals'
import { Contained, Folder, traverse } from '../../lib/content/index.js'
import { isViewStill, placeStamp, viewOfPlaces } from '../../lib/content/place-stamp.js'
import { definePersistent } from '../../lib/persistence/index.js'
import { anOffice, closeDatabases } from '../support/content-builders.js'

afterEach(closeDatabases)

class Leaf extends Contained {}
definePersistent(Leaf, { name: 'place-stamp.Leaf', fields: [] })

test('the stamp rises when a container gets, changes or loses its place, and not for a leaf', () => {
  const [one, other, folder] = [new Folder(), new Folder(), new Folder()]
  const risen = (change: () => void): boolean => {
    const before = placeStamp()
    change()
    return placeStamp() > before
  }
  expect(risen(() => one.set('folder', folder))).toBe(true)
  expect(risen(() => other.set('folder', folder))).toBe(true)
  expect(risen(() => other.delete('folder'))).toBe(true)
  expect(risen(() => one.set('leaf', new Leaf()))).toBe(false)
})

test('a view of places holds until something is written, moved, or put back', async () => {
  const db = await anOffice()
  const last = await db.transaction(({ root, connection }) => {
    const fresh = () => viewOfPlaces(connection) as NonNullable<ReturnType<typeof viewOfPlaces>>
    const employees = traverse(root, '/NOAA/NWS/OUN/employees', Folder)
    const first = fresh()
    expect([isViewStill(first), isViewStill(fresh())]).toEqual([true, true])
    const savepoint = connection.transaction?.savepoint() as { rollback(): void }
    employees.set('in', new Folder())
    expect(isViewStill(first)).toBe(false)
    const second = fresh()
    savepoint.rollback()
    expect([isViewStill(second), isViewStill(fresh())]).toEqual([false, true])
    return { view: fresh(), connection }
  })
  expect(isViewStill(last.view)).toBe(true)
  expect(viewOfPlaces(last.connection)).toBeUndefined()
  await db.transaction(() => {})
  expect(isViewStill(last.view)).toBe(false)
})
