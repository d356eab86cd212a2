import { stored } from './class-registry.js'
import type { ConflictStates } from './conflict-resolver.js'
import { InvalidNumberError } from './errors.js'
import { field } from './field.js'
import { mergeField } from './merge-field.js'
import { Persistent } from './persistent.js'

/**
 * A counter that many transactions change at once: concurrent changes add up and never conflict.
 * Trees and containers know their size without one.
 *
 * Source: `BTrees.Length`.
 * @public
 */
export class Length extends Persistent {
  // Private to TypeScript only: loading an object runs no constructor.
  @field private accessor count = 0

  /** @throws PERSISTENCE_INVALID_NUMBER */
  constructor(value = 0) {
    super()
    this.set(value)
  }

  get value(): number {
    return this.count
  }

  /**
   * Adds `by`, which may be below zero; 0 changes nothing.
   * @returns the value, as far as this transaction knows.
   * @throws PERSISTENCE_INVALID_NUMBER when `by` is no finite number.
   */
  change(by: number): number {
    this.set(this.count + finite(by))
    return this.count
  }

  /**
   * Beside concurrent changes it stands for a change by the difference.
   * @throws PERSISTENCE_INVALID_NUMBER when `value` is no finite number.
   */
  set(value: number): void {
    if (finite(value) !== this.count) this.count = value
  }

  /** Both changes count. */
  static resolveConflict(states: ConflictStates<LengthState>): object | undefined {
    return mergeField(states, 'count', ({ old, saved, wanted }) => saved + wanted - old)
  }
}

stored('treehook.Length')(Length)

type LengthState = { readonly count: number }

function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw new InvalidNumberError(`A Length was given ${String(value)}; give a finite number`)
}
