import { describe, expect, test } from '@jest/globals'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { ClassTable } from '../../lib/persistence/class-table.js'
import { BTree, type Persistent } from '../../lib/persistence/index.js'
import { slotsOf } from '../../lib/persistence/persistent.js'
import { Reference } from '../../lib/persistence/reference.js'
import { type SerializerHost, serialize, summarizeTrees } from '../../lib/persistence/serializer.js'
import { commitWeakly } from '../../lib/persistence/weak-reference.js'
import { toOid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'

/** A host that takes new objects into `changed`, as a connection does. */
function aHost(...objects: Persistent[]): { host: SerializerHost; changed: Set<Persistent> } {
  const changed = new Set<Persistent>()
  let last = 100
  const host: SerializerHost = {
    classes: new ClassTable([]),
    newOid: () => toOid(last++),
    refer: (object) => {
      const slots = slotsOf(object)
      if (!changed.has(object)) slots.oid = host.newOid()
      changed.add(object)
      return new Reference(slots.oid)
    },
    referWeakly: (weak) => commitWeakly(weak, host),
  }
  for (const object of objects) host.refer(object)
  return { host, changed }
}

describe('Serializer', () => {
  test('makes a record of each changed object, and of new ones they lead to', () => {
    const boss = new Employee({ title: 'boss' })
    const bob = new Employee({ title: 'bob', boss, data: [new Employee({ title: 'deep', boss })] })
    const { host, changed } = aHost(bob)
    const pending = serialize(changed, host)
    expect(pending.map(({ object }) => (object as Employee).title)).toEqual(['bob', 'boss', 'deep'])
    expect(pending.map(({ oid }) => oid)).toEqual([100, 101, 102])
    expect(pending[0]!.values[2]).toEqual(new Reference(toOid(101)))
    expect(pending[0]!.values[3]).toEqual([new Reference(toOid(102))])
    expect(bob.boss).toBe(boss)
  })

  test('a small tree is one record, a large one has a record for each node', () => {
    const [small, large] = [new BTree<number, number>(), new BTree<number, number>()]
    for (let n = 0; n < 10; n++) small.set(n, n)
    for (let n = 0; n < 200; n++) large.set(n, n)
    const { host, changed } = aHost(small, large)
    const pending = serialize(changed, host)
    expect(pending.map(({ nodes }) => nodes.length)).toEqual([0, 7])
    expect(pending[1]!.layout.names).toEqual(layoutOf(BTree).names)
    expect(new Set(pending[1]!.nodes.map(({ oid }) => oid)).size).toBe(7)
  })

  test('sums up what was done to trees; nobody else can have written the keys of a new one', () => {
    const [tree, untouched] = [new BTree(), new BTree()]
    tree.set('a', 1).set(2, 2).delete('a')
    const { host, changed } = aHost(tree, untouched)
    expect(summarizeTrees(serialize(changed, host))).toEqual([
      { oid: 100, keys: [], touchesAll: false, writesFields: true },
    ])
  })
})
