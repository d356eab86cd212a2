/**
 * Calls `call` with each item in turn. What returns a promise is awaited before the next; what does
 * not, is not: when none does, everything has happened in one synchronous step on return, and the
 * result is `undefined`.
 *
 * The one place that is "sometimes async", on purpose: two-phase commit of managers that never wait
 * must not be interrupted.
 * @internal
 */
export function inTurn<T>(
  items: readonly T[],
  call: (item: T, index: number) => void | Promise<void>,
): undefined | Promise<void> {
  for (let index = 0; index < items.length; index++) {
    const waiting = call(items[index]!, index)
    if (!isPromise(waiting)) continue
    return index === items.length - 1 ? waiting : restInTurn(waiting, items, index + 1, call)
  }
  return undefined
}

/** True for what can be awaited; a manager written in JavaScript may return anything. @internal */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}

async function restInTurn<T>(
  first: PromiseLike<void>,
  items: readonly T[],
  from: number,
  call: (item: T, index: number) => void | Promise<void>,
): Promise<void> {
  await first
  for (let index = from; index < items.length; index++) {
    const waiting = call(items[index]!, index)
    if (isPromise(waiting)) await waiting
  }
}
