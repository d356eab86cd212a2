import { describe, expect, test } from '@jest/globals'
import { type Based, nearestFirst } from '../../lib/component/registry-chain.js'

interface Node extends Based<Node> {
  bases: readonly Node[]
}

function aNode(name: string, ...bases: readonly Node[]): Node {
  return { name, bases }
}

function names(node: Node): string {
  return nearestFirst<Node>(node)
    .map(({ name }) => name)
    .join(' ')
}

describe('Registry chain', () => {
  test('begins with the registry and goes on with its bases, in their order', () => {
    expect(names(aNode('a', aNode('b', aNode('c')), aNode('d')))).toBe('a b c d')
  })

  test('has a shared base once, behind all that are based on it', () => {
    const global = aNode('global')
    expect(names(aNode('a', aNode('b', global), aNode('c', global)))).toBe('a b c global')
  })

  test('puts a base behind what is based on it, even when named before', () => {
    const b = aNode('b')
    expect(names(aNode('a', b, aNode('c', b)))).toBe('a c b')
  })

  test('is refused when it leads back', () => {
    const a = aNode('a')
    a.bases = [aNode('b', a)]
    expect(() => nearestFirst(a)).toThrow(
      expect.objectContaining({ code: 'COMPONENT_INVALID_REGISTRATION' }),
    )
  })
})
