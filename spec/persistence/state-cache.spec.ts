import { describe, expect, test } from '@jest/globals'
import { TreeNode } from '../../lib/persistence/btree/tree-node.js'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { ClassTable, NODE_LAYOUT } from '../../lib/persistence/class-table.js'
import { CommittedState } from '../../lib/persistence/committed-state.js'
import { StateCache } from '../../lib/persistence/state-cache.js'
import { toOid, toTid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'

const layout = new ClassTable([]).layoutFor(layoutOf(Employee))
const aState = (oid: number, serial = 1, bytes = 100): CommittedState =>
  new CommittedState(toOid(oid), toTid(serial), layout, [], bytes)
const SIZE = aState(1).bytes

describe('State cache', () => {
  test('gives the state that was put last', () => {
    const cache = new StateCache(1_000_000)
    const [old, newer] = [aState(1, 1, 10), aState(1, 2, 1000)]
    cache.put(old)
    cache.put(newer)
    expect([cache.get(toOid(1)), cache.get(toOid(2)), cache.size]).toEqual([newer, undefined, 1])
    expect(cache.bytes).toBe(newer.bytes)
    cache.clear()
    expect([cache.size, cache.bytes, cache.get(toOid(1))]).toEqual([0, 0, undefined])
  })

  test('never exceeds its budget, and counts what it holds', () => {
    const cache = new StateCache(SIZE * 10)
    for (let n = 0; n < 1000; n++) {
      cache.put(aState(n % 37, n))
      expect(cache.bytes).toBeLessThanOrEqual(SIZE * 10)
      expect(cache.bytes).toBe(cache.size * SIZE)
    }
    expect(cache.size).toBeGreaterThan(5)
  })

  test('what was used since the last sweep stays, what was not goes', () => {
    const cache = new StateCache(SIZE * 10)
    for (let n = 0; n < 11; n++) cache.put(aState(n))
    expect([cache.size, cache.get(toOid(2))?.oid]).toEqual([10, 2])
    cache.put(aState(11))
    cache.put(aState(12))
    expect([2, 3, 4, 12].map((oid) => cache.get(toOid(oid)) !== undefined)).toEqual([
      true,
      false,
      true,
      true,
    ])
  })

  test('what is only read while there is no room stays for a moment, and pushes nothing out', () => {
    const cache = new StateCache(SIZE * 10)
    for (let n = 0; n < 10; n++) cache.offer(aState(n))
    for (let n = 100; n < 1000; n++) cache.offer(aState(n))
    expect([cache.size, cache.get(toOid(0)) !== undefined]).toEqual([10, true])
    expect([cache.get(toOid(100)), cache.get(toOid(999))?.oid]).toEqual([undefined, 999])
  })

  test('what is asked for again in that moment stays for longer', () => {
    const cache = new StateCache(SIZE * 10)
    for (let n = 0; n < 11; n++) cache.offer(aState(n))
    expect(cache.get(toOid(10))?.oid).toBe(10)
    for (let n = 100; n < 1000; n++) cache.offer(aState(n))
    expect([cache.size, cache.get(toOid(10))?.oid]).toEqual([10, 10])
  })

  test('a newer revision takes the place of one that stays for a moment', () => {
    const cache = new StateCache(SIZE)
    cache.offer(aState(1))
    cache.offer(aState(2, 1))
    cache.put(aState(2, 2))
    cache.put(aState(1, 3))
    expect(cache.get(toOid(2))).toBeUndefined()
    cache.offer(aState(2, 4))
    cache.delete(toOid(2))
    expect(cache.get(toOid(2))).toBeUndefined()
  })

  test('nodes of trees know whether they are in it', () => {
    const cache = new StateCache(10_000)
    const node = new TreeNode(0, [1], [1])
    const parent = new TreeNode(1, [], [0])
    const isAtHand = (): boolean => {
      parent.keepChild(0, node)
      return parent.sharedChild(0, 9) !== undefined
    }
    const state = new CommittedState(toOid(7), toTid(1), NODE_LAYOUT, [node], 100)
    expect(isAtHand()).toBe(false)
    cache.put(state)
    expect(isAtHand()).toBe(true)
    cache.put(new CommittedState(toOid(7), toTid(2), NODE_LAYOUT, [new TreeNode(0, [], [])], 100))
    expect(isAtHand()).toBe(false)
    for (const leave of [() => cache.delete(toOid(7)), () => cache.clear()]) {
      cache.put(state)
      expect(isAtHand()).toBe(true)
      leave()
      expect(isAtHand()).toBe(false)
    }
  })

  test('a node that is found through its parent is in use', () => {
    const cache = new StateCache(SIZE * 3)
    const node = new TreeNode(0, [1], [1])
    const parent = new TreeNode(1, [], [0])
    for (let n = 0; n < 9; n++) cache.put(aState(n + 20))
    cache.put(new CommittedState(toOid(7), toTid(1), NODE_LAYOUT, [node], 100))
    parent.keepChild(0, node)
    for (let n = 100; n < 130; n++) {
      cache.put(aState(n))
      expect(parent.sharedChild(0, 9)).toBe(node)
    }
    for (let n = 100; n < 130; n++) cache.put(aState(n))
    expect(parent.sharedChild(0, 9)).toBeUndefined()
  })

  test('a state knows whether it is in it, and so the newest', () => {
    const cache = new StateCache(SIZE * 2)
    const [old, newer, other] = [aState(1), aState(1, 2), aState(2)]
    const shared = () => [old, newer, other].map(({ isShared }) => isShared)
    cache.put(old)
    cache.put(other)
    expect(shared()).toEqual([true, false, true])
    cache.put(newer)
    cache.delete(other.oid)
    expect(shared()).toEqual([false, true, false])
    cache.offer(aState(3))
    cache.offer(other)
    expect(shared()).toEqual([false, true, false]) // on trial is not in it
    cache.get(other.oid)
    expect(other.isShared).toBe(true)
    cache.clear()
    expect(shared()).toEqual([false, false, false])
  })

  test('a state that is deleted is gone, and so is what it was charged', () => {
    const cache = new StateCache(1_000_000)
    cache.put(aState(1))
    cache.delete(toOid(1))
    cache.delete(toOid(2))
    expect([cache.size, cache.bytes, cache.get(toOid(1))]).toEqual([0, 0, undefined])
  })

  test('a state that alone exceeds the budget is not kept', () => {
    const cache = new StateCache(10)
    cache.put(aState(1))
    expect([cache.size, cache.bytes]).toEqual([0, 0])
  })
})
