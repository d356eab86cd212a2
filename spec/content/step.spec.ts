import { expect, test } from '@jest/globals'
import { Folder, Site } from '../../lib/content/index.js'
import { isPlain, itemIn, stepTo } from '../../lib/content/step.js'
import { Employee } from '../support/content-builders.js'

// What steps lead to, spec/content/traverse.spec.ts tells.

test('A container steps by its own tree, and so is plain, until its class says otherwise', () => {
  class Loud extends Folder {
    override get(name: string) {
      return super.get(name.toLowerCase())
    }
  }
  class Traverser extends Folder {
    traverse(): undefined {
      return undefined
    }
  }
  expect([new Folder(), new Site()].every(isPlain)).toBe(true)
  expect([new Loud(), new Traverser(), new Employee(), {}].some(isPlain)).toBe(false)
})

test('A step leads to an item, and never to a property', () => {
  const folder = new Folder()
  const bob = folder.set('Bob', new Employee())
  expect([stepTo(folder, 'Bob'), itemIn(folder, 'Bob')]).toEqual([bob, bob])
  for (const name of ['size', 'get', '__parent__', '__proto__', 'constructor']) {
    expect(stepTo(folder, name)).toBeUndefined()
    expect(itemIn(bob, name)).toBeUndefined()
  }
})
