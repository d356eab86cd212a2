/** Decorated classes, and what they do: compiled and run by each compiler that users may have. */
import { isDeepStrictEqual } from 'node:util'
import {
  definePersistent,
  field,
  ObjectDatabase,
  Persistent,
  plain,
  stored,
} from '../../lib/persistence/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'

@stored('fixture.Person')
class Person extends Persistent {
  @field accessor title = ''
  @field({ default: 1 }) accessor grade = 7
  @field accessor phones: string[] = ['0']
  volatile = 'here'
}

@stored('fixture.Boss')
class Boss extends Person {
  @field accessor staff: Person[] = []
  @field override accessor title = 'boss'
}

class Plain extends Persistent {
  declare name: string
  declare tags: string[]
  constructor(name: string) {
    super()
    this.name = name
  }
}
definePersistent(Plain, { name: 'fixture.Plain', fields: { name: 'nobody', tags: ['new'] } })

export async function tellStory(): Promise<unknown> {
  const db = await ObjectDatabase.open('', { storage: createMemoryStorage() })
  await db.transaction(({ rootMapping }) => {
    const boss = new Boss()
    const clerk = new Person()
    clerk.title = 'clerk'
    boss.staff = [clerk]
    rootMapping.set('boss', boss)
    rootMapping.set('plain', new Plain('tool'))
  })
  await db.transaction(({ rootMapping }) => {
    const boss = rootMapping.get('boss') as Boss
    boss.staff[0]!.phones.push('1')
    boss.volatile = 'not stored'
    ;(rootMapping.get('plain') as Plain).tags.push('used')
  })
  db.cacheClear()
  const told = await db.view(({ rootMapping }) => {
    const boss = rootMapping.get('boss') as Boss
    const tool = rootMapping.get('plain') as Plain
    const [clerk] = boss.staff
    return {
      boss: [boss.title, boss.grade, [...boss.phones], boss.volatile ?? 'gone'],
      clerk: [clerk!.title, clerk!.grade, [...clerk!.phones], clerk instanceof Person],
      plain: [tool.name, [...tool.tags], tool instanceof Plain],
    }
  })
  await db.close()
  return told
}

/** Which kinds of values come back as they were. */
export async function storeEveryKind(): Promise<Record<string, boolean>> {
  const values = {
    Float64Array: new Float64Array([1.5, -0, Number.NaN]),
    Float32Array: new Float32Array([0.5]),
    Int8Array: new Int8Array([-1]),
    Int16Array: new Int16Array([-300]),
    Int32Array: new Int32Array([-70_000]),
    Uint8Array: new Uint8Array([255]),
    Uint8ClampedArray: new Uint8ClampedArray([255]),
    Uint16Array: new Uint16Array([65_535]),
    Uint32Array: new Uint32Array([4_000_000_000]),
    BigInt64Array: new BigInt64Array([-5n]),
    BigUint64Array: new BigUint64Array([2n ** 64n - 1n]),
    empty: new Float64Array(0),
    part: new Float64Array([1, 2, 3]).subarray(1, 2),
    Buffer: Buffer.from('abc'),
    ArrayBuffer: new Uint8Array([1, 2]).buffer,
    numbers: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 2 ** 53],
    bigints: [0n, -1n, 2n ** 64n, -(3n ** 500n)],
    nothing: [undefined, null, { a: undefined }],
    dates: [new Date(0), new Date(-8.64e15)],
    text: ['', '\u{1f600}', 'é'.repeat(100_000)],
    map: new Map<unknown, unknown>([
      [1, new Set([new Float32Array([1])])],
      ['1', new Map([[Number.NaN, []]])],
    ]),
  }
  const db = await ObjectDatabase.open('', { storage: createMemoryStorage() })
  await db.transaction(({ rootMapping }) => void rootMapping.set('values', values as never))
  db.cacheClear()
  const read = (await db.view(({ rootMapping }) =>
    plain(rootMapping.get('values')),
  )) as unknown as typeof values
  await db.close()
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      isDeepStrictEqual(read[name as keyof typeof values], value),
    ]),
  )
}
