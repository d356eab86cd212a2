import { describe, expect, test } from '@jest/globals'
import { linearize, type Ordered } from '../../lib/component/resolution-order.js'

class Node implements Ordered<Node> {
  readonly id: string
  readonly resolutionOrder: readonly Node[]

  constructor(id: string, ...bases: readonly Node[]) {
    this.id = id
    this.resolutionOrder = linearize<Node>(this, bases)
  }

  get ids(): string {
    return this.resolutionOrder.map(({ id }) => id).join(' ')
  }
}

describe('Resolution order', () => {
  test('of something without bases is itself', () => {
    expect(new Node('O').ids).toBe('O')
  })

  test('keeps what a diamond shares behind both its sides', () => {
    const o = new Node('O')
    expect(new Node('D', new Node('B', o), new Node('C', o)).ids).toBe('D B C O')
  })

  test("is Python's for the example of its C3 paper", () => {
    const o = new Node('O')
    const [a, b, c, d, e] = ['A', 'B', 'C', 'D', 'E'].map((id) => new Node(id, o))
    const k1 = new Node('K1', c!, a!, b!)
    const k2 = new Node('K2', b!, d!, e!)
    const k3 = new Node('K3', a!, d!)
    expect(new Node('Z', k1, k3, k2).ids).toBe('Z K1 C K3 A K2 B D E O')
  })

  test('names both orders that contradict each other', () => {
    const x = new Node('X')
    const y = new Node('Y')
    const xy = new Node('XY', x, y)
    const yx = new Node('YX', y, x)
    expect(() => new Node('Z', xy, yx)).toThrow(
      expect.objectContaining({
        code: 'COMPONENT_INCONSISTENT_ORDER',
        message: expect.stringContaining('[XY, X, Y] and [YX, Y, X]'),
        details: {
          head: 'Z',
          conflict: [
            ['XY', 'X', 'Y'],
            ['YX', 'Y', 'X'],
          ],
        },
      }),
    )
  })

  test('names the whole circle when no two orders contradict alone', () => {
    const [x, y, z] = ['X', 'Y', 'Z'].map((id) => new Node(id))
    const bases = [new Node('1', x!, y!), new Node('2', y!, z!), new Node('3', z!, x!)]
    expect(() => new Node('H', ...bases)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('[1, X, Y] and [3, Z, X] and [2, Y, Z]'),
      }),
    )
  })

  test('refuses a general base named before a specific one', () => {
    const general = new Node('G')
    expect(() => new Node('H', general, new Node('S', general))).toThrow(/Name the more specific/)
  })
})
