import { describe, expect, test } from '@jest/globals'
import {
  childOf,
  isContainer,
  NestedNode,
  type NodeRoot,
  nodeBehind,
  nodeOf,
  partsOf,
  proxyOf,
  unwrap,
} from '../../lib/persistence/nested-node.js'
import { Employee } from '../support/persistence-builders.js'

const root = { field: 'phones' } as NodeRoot

describe('A node of a nested value', () => {
  test('stands behind its proxy, of which nothing else is known', () => {
    const node = new NestedNode(root, [1], undefined, undefined)
    const proxy = proxyOf(node, { get: (target, key) => [nodeOf(target) === node, key] })
    expect(Array.isArray(proxy)).toBe(true)
    expect((proxy as { any?: unknown }).any).toEqual([true, 'any'])
    expect([nodeBehind(proxy), unwrap(proxy)]).toEqual([node, node.container])
    const other = {}
    expect([nodeBehind(other), unwrap(other), unwrap(7)]).toEqual([undefined, other, 7])
  })

  test('says where a part of it stands', () => {
    expect(new NestedNode(root, [], undefined, undefined).where(3)).toBe('phones, 3')
  })

  test('is made of containers, and of nothing else', () => {
    for (const container of [[], {}, new Map(), new Set(), Object.create(null)]) {
      expect(isContainer(container)).toBe(true)
    }
    for (const other of [1, null, 'text', new Date(), Buffer.alloc(1), new Employee()]) {
      expect(isContainer(other)).toBe(false)
    }
  })

  test('has its parts where their keys lead', () => {
    const containers = [['a', 'b'], { x: 'a', y: 'b' }, new Map([['x', 'a']]), new Set(['a', 'b'])]
    for (const container of containers) {
      const parts = [...partsOf(container)].filter(([key]) => key !== 'length')
      expect(parts.length).toBeGreaterThan(0)
      for (const [key, part] of parts) expect(childOf(container, key)).toBe(part)
    }
  })
})
