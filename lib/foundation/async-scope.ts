import { AsyncLocalStorage } from 'node:async_hooks'

/** What one `run` gave, and what was given around it. */
interface Given {
  readonly scope: AsyncScope<unknown>
  readonly value: unknown
  readonly outer: Given | undefined
}

/** One for all scopes: Node passes each storage on at every promise that is made. */
const storage = new AsyncLocalStorage<Given>()

/**
 * A value that travels with the async call: what `run` gave is what `current` reads, also after an
 * `await`, and only inside. `current()` costs some 6 ns.
 */
export class AsyncScope<T> {
  /** The innermost value given, or `undefined` outside every `run`. */
  current(): T | undefined {
    for (let given = storage.getStore(); given !== undefined; given = given.outer) {
      if (given.scope === this) return given.value as T | undefined
    }
    return undefined
  }

  /** Calls `fn` with `value` as the current one, until it returns and its promise settles. */
  run<R>(value: T, fn: () => R): R {
    const scope = this as AsyncScope<unknown>
    return storage.run({ scope, value, outer: storage.getStore() }, fn)
  }

  /** Calls `fn` as if outside every `run` of this scope. */
  exit<R>(fn: () => R): R {
    return this.run(undefined as T, fn)
  }
}

/**
 * Calls `fn` as if outside every scope: for work that outlives its cause, and would else keep alive
 * what it was caused by.
 */
export function outsideAllScopes<R>(fn: () => R): R {
  return storage.exit(fn)
}

/** What `callInScopes` calls in. */
export type Scopes = Given | undefined

/** All that is current here, for a callback that somebody else will call. */
export function currentScopes(): Scopes {
  return storage.getStore()
}

/** Calls `fn` where `scopes` were current. */
export function callInScopes<R>(scopes: Scopes, fn: () => R): R {
  return storage.run(scopes as Given, fn)
}
