import { InconsistentResolutionOrderError } from './errors.js'

/**
 * Linearises by C3: `head` first, each of `bases` after all that extends it, and every order that
 * one of them has is kept.
 *
 * @param bases - what `head` extends, in its own order; each with its finished order, itself first.
 * @throws COMPONENT_INCONSISTENT_ORDER when the orders contradict each other; `details.conflict`
 *   holds the contradicting orders, by id.
 * @see `zope.interface.ro`; the algorithm is that of Python's classes.
 * @internal
 */
export function linearize<T extends Ordered<T>>(head: T, bases: readonly T[]): readonly T[] {
  const orders = [...bases.map((base) => base.resolutionOrder), bases]
  const result = [head]
  let waiting = orders.filter((order) => order.length > 0).map((order) => new Order(order))
  while (waiting.length > 0) {
    const next = waiting.find(({ first }) => !waiting.some((order) => order.hasLater(first)))?.first
    if (next === undefined) throw contradiction(head, waiting)
    result.push(next)
    for (const order of waiting) order.drop(next)
    waiting = waiting.filter((order) => !order.isEmpty)
  }
  return Object.freeze(result)
}

/** What has a name for messages and an order to be merged. @internal */
export interface Ordered<T> {
  readonly id: string
  readonly resolutionOrder: readonly T[]
}

/** An order of which some are already placed. */
class Order<T> {
  readonly all: readonly T[]
  #position = 0

  constructor(all: readonly T[]) {
    this.all = all
  }

  get first(): T {
    return this.all[this.#position]!
  }

  get isEmpty(): boolean {
    return this.#position === this.all.length
  }

  hasLater(item: T): boolean {
    return this.all.indexOf(item, this.#position + 1) !== -1
  }

  drop(item: T): void {
    if (this.first === item) this.#position += 1
  }
}

/**
 * Nothing can be placed: each first item stands later in another order. Following that relation
 * leads into a circle, and the orders on the circle are those that contradict.
 */
function contradiction<T extends Ordered<T>>(
  head: T,
  waiting: readonly Order<T>[],
): InconsistentResolutionOrderError {
  const path: Order<T>[] = []
  let order = waiting[0]!
  while (!path.includes(order)) {
    path.push(order)
    const { first } = order
    order = waiting.find((other) => other.hasLater(first))!
  }
  const conflict = path.slice(path.indexOf(order)).map(({ all }) => all.map(({ id }) => id))
  return new InconsistentResolutionOrderError(
    `${head.id} cannot be ordered, because it extends what demands ` +
      `${conflict.map((ids) => `[${ids.join(', ')}]`).join(' and ')}. ` +
      'Name the more specific first, or extend fewer of them.',
    { details: { head: head.id, conflict } },
  )
}
