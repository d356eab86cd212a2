import { afterEach, describe, expect, test } from '@jest/globals'
import { alsoProvides, defineInterface, implementer } from '../../lib/component/index.js'
import {
  Contained,
  checkFactory,
  checkItem,
  containers,
  contains,
  copyTo,
  Folder,
  moveTo,
  precondition,
} from '../../lib/content/index.js'
import { field, stored } from '../../lib/persistence/index.js'
import {
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

const IPaper = defineInterface('content-spec.IPaper')

/** Holds paper, and drawers, which are declared further down. */
@stored('content-spec.Cabinet')
@contains(IPaper, () => Drawer)
class Cabinet extends Folder {
  @field accessor isLocked = false
}

@stored('content-spec.Drawer')
@containers(Cabinet)
class Drawer extends Folder {}

@stored('content-spec.Letter')
@implementer(IPaper)
class Letter extends Contained {}

@stored('content-spec.Safe')
@precondition((safe) => ((safe as Safe).isLocked ? 'it is locked' : undefined))
class Safe extends Cabinet {}

@stored('content-spec.NightSafe')
@contains(Employee)
@precondition((_safe, name) => (name.startsWith('day') ? 'it is night' : undefined))
class NightSafe extends Safe {}

@stored('content-spec.Empty')
@contains()
class Empty extends Folder {}

describe('What a container contains', () => {
  test('are objects of the kinds that its class declares', () =>
    inTransaction((root) => {
      const cabinet = root.set('cabinet', new Cabinet())
      cabinet.set('letter', new Letter())
      cabinet.set('drawer', new Drawer()).set('Bob', new Employee())
      expect(codeOfThrown(() => cabinet.set('Bob', new Employee()))).toBe('CONTENT_INVALID_ITEM')
      expect([...cabinet.keys()]).toEqual(['drawer', 'letter'])
      expect(() => cabinet.set('Bob', new Employee())).toThrow(
        /^content-spec.Cabinet at \/cabinet .* cannot hold content-spec.Employee .* as "Bob": it contains content-spec.IPaper or Drawer$/,
      )
    }))

  test('may provide the kind themselves', () =>
    inTransaction((root) => {
      const cabinet = root.set('cabinet', new Cabinet())
      const note = new Employee()
      alsoProvides(note, IPaper)
      expect(cabinet.set('note', note)).toBe(note)
    }))

  test('is obeyed by moves and copies', () =>
    inTransaction((root) => {
      const cabinet = root.set('cabinet', new Cabinet())
      const bob = root.set('Bob', new Employee())
      expect(codeOfThrown(() => moveTo(bob, cabinet))).toBe('CONTENT_INVALID_ITEM')
      expect(codeOfThrown(() => copyTo(bob, cabinet))).toBe('CONTENT_INVALID_ITEM')
      expect(codeOfThrown(() => cabinet.add(new Employee()))).toBe('CONTENT_INVALID_ITEM')
      expect([root.get('Bob'), cabinet.size]).toEqual([bob, 0])
    }))

  test('is inherited, or declared anew in place of that; preconditions add up', () =>
    inTransaction((root) => {
      const safe = root.set('safe', new Safe())
      expect(codeOfThrown(() => safe.set('Bob', new Employee()))).toBe('CONTENT_INVALID_ITEM')
      safe.set('letter', new Letter())
      safe.isLocked = true
      expect(() => safe.set('another', new Letter())).toThrow(/: it is locked$/)
      const night = root.set('night', new NightSafe())
      expect(codeOfThrown(() => night.set('letter', new Letter()))).toBe('CONTENT_INVALID_ITEM')
      expect(() => night.set('day', new Employee())).toThrow(/: it is night$/)
      night.set('night', new Employee())
      night.isLocked = true
      expect(() => night.set('other', new Employee())).toThrow(/: it is locked$/)
    }))

  test('may be nothing', () =>
    inTransaction((root) => {
      const empty = root.set('empty', new Empty())
      expect(() => empty.set('Bob', new Employee())).toThrow(/: it contains nothing$/)
    }))

  test('is declared with interfaces and classes only', () => {
    expect(codeOfThrown(() => contains('text' as never))).toBe('COMPONENT_INVALID_REGISTRATION')
    expect(codeOfThrown(() => containers(undefined as never))).toBe(
      'COMPONENT_INVALID_REGISTRATION',
    )
  })
})

describe('Where an object is contained', () => {
  test('are containers of the kinds that its class declares', () =>
    inTransaction((root) => {
      expect(codeOfThrown(() => root.set('drawer', new Drawer()))).toBe('CONTENT_INVALID_CONTAINER')
      expect(() => root.set('drawer', new Drawer())).toThrow(
        /^content-spec.Drawer .* cannot be in treehook.RootFolder at \/ .*: it is contained by Cabinet$/,
      )
      const drawer = root.set('safe', new Safe()).set('drawer', new Drawer())
      expect(codeOfThrown(() => moveTo(drawer, root))).toBe('CONTENT_INVALID_CONTAINER')
    }))
})

describe('checkItem', () => {
  test('asks for the kind, then for cycles, then for the container', () =>
    inTransaction((root) => {
      const cabinet = root.set('cabinet', new Cabinet())
      const drawer = cabinet.set('drawer', new Drawer())
      expect(codeOfThrown(() => checkItem(cabinet, 'x', cabinet))).toBe('CONTENT_INVALID_ITEM')
      expect(codeOfThrown(() => checkItem(drawer, 'x', drawer))).toBe('CONTENT_CYCLE')
      expect(codeOfThrown(() => checkItem(drawer, 'x', new Drawer()))).toBe(
        'CONTENT_INVALID_CONTAINER',
      )
      expect(codeOfThrown(() => checkItem(drawer, 'x', new Letter()))).toBe('nothing')
    }))

  test('refuses a target that is no container', () => {
    expect(codeOfThrown(() => checkItem(new Employee(), 'x', new Letter()))).toBe(
      'CONTENT_INVALID_CONTAINER',
    )
  })
})

describe('checkFactory', () => {
  test('says whether objects of a class may be in a container', () => {
    const [cabinet, folder] = [new Cabinet(), new Folder()]
    expect([Letter, Drawer, Employee].map((one) => checkFactory(cabinet, one))).toEqual([
      true,
      true,
      false,
    ])
    expect([Letter, Drawer, Employee].map((one) => checkFactory(folder, one))).toEqual([
      true,
      false,
      true,
    ])
    expect(checkFactory(new Employee(), Letter)).toBe(false)
  })
})
