import { describe, expect, test } from '@jest/globals'
import {
  declaredInterface,
  defineInterface,
  extendersOf,
  IAny,
  interfaceNamed,
  specificationStamp,
} from '../../lib/component/index.js'

describe('Interface', () => {
  test('extends IAny and nothing else by itself', () => {
    const IPlain = defineInterface('test.IPlain')
    expect(IPlain.resolutionOrder).toEqual([IPlain, IAny])
    expect(IPlain.declared).toEqual([IAny])
    expect(IAny.resolutionOrder).toEqual([IAny])
  })

  test('extends or is what stands in its order, and only that', () => {
    const IRoom = defineInterface('test.IRoom')
    const IOffice = defineInterface('test.IOffice', { extends: [IRoom] })
    expect(IOffice.extendsOrIs(IOffice)).toBe(true)
    expect(IOffice.extendsOrIs(IRoom)).toBe(true)
    expect(IOffice.extendsOrIs(IAny)).toBe(true)
    expect(IRoom.extendsOrIs(IOffice)).toBe(false)
    expect(IOffice.flattened()).toEqual([IOffice, IRoom, IAny])
  })

  test('may name IAny among what it extends, anywhere', () => {
    const IBase = defineInterface('test.IBase')
    const IOther = defineInterface('test.IOther', { extends: [IAny, IBase] })
    expect(IOther.resolutionOrder).toEqual([IOther, IBase, IAny])
  })

  test('is frozen, with its members and what it extends', () => {
    const IFrozen = defineInterface<{ title: string }>('test.IFrozen', { members: ['title'] })
    expect(IFrozen.members).toEqual(['title'])
    for (const part of [IFrozen, IFrozen.members, IFrozen.declared, IFrozen.resolutionOrder]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  test('is found by its name, as is IAny', () => {
    const IFound = defineInterface('test.IFound')
    expect(interfaceNamed('test.IFound')).toBe(IFound)
    expect(interfaceNamed('treehook.IAny')).toBe(IAny)
    expect(interfaceNamed('test.INever')).toBeUndefined()
  })

  test('has a name of its own', () => {
    defineInterface('test.ITaken')
    for (const name of ['test.ITaken', 'treehook.IAny', '', 'two words']) {
      expect(() => defineInterface(name)).toThrow(
        expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' }),
      )
    }
  })

  test('knows what extends it, itself first, also what is defined later', () => {
    const ITree = defineInterface('test.ITreeOfExtenders')
    const IOak = defineInterface('test.IOakOfExtenders', { extends: [ITree] })
    expect(extendersOf(ITree)).toEqual([ITree, IOak])
    const before = specificationStamp()
    const IHolmOak = defineInterface('test.IHolmOakOfExtenders', { extends: [IOak] })
    expect(specificationStamp()).toBeGreaterThan(before)
    expect(extendersOf(ITree)).toEqual([ITree, IOak, IHolmOak])
    expect(extendersOf(IHolmOak)).toEqual([IHolmOak])
    expect(extendersOf(IAny)).toContain(IHolmOak)
  })

  test('has a stand-in as long as a name that was declared has none', () => {
    const standIn = declaredInterface('test.ILateInterface')
    expect(declaredInterface('test.ILateInterface')).toBe(standIn)
    expect(standIn.resolutionOrder).toEqual([standIn, IAny])
    expect(interfaceNamed('test.ILateInterface')).toBeUndefined()
    const ILate = defineInterface('test.ILateInterface')
    expect(declaredInterface('test.ILateInterface')).toBe(ILate)
  })

  test('that cannot be ordered is not defined', () => {
    const IX = defineInterface('test.IX')
    const IY = defineInterface('test.IY', { extends: [IX] })
    expect(() => defineInterface('test.IXY', { extends: [IX, IY] })).toThrow(
      expect.objectContaining({ code: 'COMPONENT_INCONSISTENT_ORDER' }),
    )
    expect(interfaceNamed('test.IXY')).toBeUndefined()
  })

  test('reads as its name', () => {
    expect(String(defineInterface('test.IText'))).toBe('test.IText')
  })
})
