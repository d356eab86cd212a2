import { expect, test } from '@jest/globals'
import { Contained, Folder } from '../../lib/content/index.js'
import { placeStamp } from '../../lib/content/place-stamp.js'
import { definePersistent } from '../../lib/persistence/index.js'

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
