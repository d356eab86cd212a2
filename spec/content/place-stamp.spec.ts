import { afterEach, expect, test } from '@jest/globals'
import { Contained, Folder, traverse } from '../../lib/content/index.js'
import { PlaceView, placeStamp } from '../../lib/content/place-stamp.js'
import { type Connection, definePersistent } from '../../lib/persistence/index.js'
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

test('a view of places holds until something is moved, or put back', async () => {
  const db = await anOffice()
  const last = await db.transaction(({ root, connection }) => {
    const fresh = () => viewOf(connection)
    const employees = traverse(root, '/NOAA/NWS/OUN/employees', Folder)
    const first = fresh()
    employees.set('leaf', new Leaf())
    expect([first.isStill, fresh().isStill]).toEqual([true, true])
    const savepoint = connection.transaction?.savepoint() as { rollback(): void }
    employees.set('in', new Folder())
    expect(first.isStill).toBe(false)
    const second = fresh()
    savepoint.rollback()
    expect([second.isStill, fresh().isStill]).toEqual([false, true])
    return { view: fresh(), connection }
  })
  expect(last.view.isStill).toBe(true)
  expect(viewOf(last.connection).isStill).toBe(false)
  await db.transaction(() => {})
  expect(last.view.isStill).toBe(false)
})

function viewOf(connection: Connection): PlaceView {
  const view = new PlaceView()
  view.look(connection)
  return view
}
