import { describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  defineInterface,
  implementer,
  verifyObject,
} from '../../lib/component/index.js'

interface INamed {
  readonly name: string
}
const INamed = defineInterface<INamed>('test.INamed', { members: ['name'] })

interface IOffice extends INamed {
  readonly rooms: number
  open(): void
}
const IOffice = defineInterface<IOffice>('test.IOffice', {
  extends: [INamed],
  members: ['rooms', 'open'],
})

describe('verifyObject', () => {
  test('gives back an object that declares and has everything, own or inherited', () => {
    @implementer(IOffice)
    class Office implements IOffice {
      readonly name = 'Norman'
      get rooms(): number {
        return 12
      }
      open(): void {}
    }
    const office = new Office()
    expect(verifyObject(IOffice, office)).toBe(office)
    expect(verifyObject(INamed, office)).toBe(office)
  })

  test('names all that is missing, of extended interfaces too', () => {
    const office = { rooms: undefined }
    alsoProvides(office, IOffice)
    expect(() => verifyObject(IOffice, office)).toThrow(
      expect.objectContaining({
        code: 'COMPONENT_BROKEN_PROMISE',
        message: expect.stringContaining(
          'test.IOffice: test.IOffice.open is missing, test.INamed.name is missing.',
        ),
        details: {
          interface: 'test.IOffice',
          declared: true,
          missing: ['test.IOffice.open', 'test.INamed.name'],
        },
      }),
    )
  })

  test('complains when nothing is declared, even if everything is there', () => {
    expect(() => verifyObject(INamed, { name: 'Norman' })).toThrow(/does not declare it\.$/)
    expect(() => verifyObject(INamed, undefined)).toThrow(/declare it, test.INamed.name is missing/)
  })
})
