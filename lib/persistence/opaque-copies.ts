import { bytesOf } from './binary-value.js'
import { copyOpaque, sameOpaque } from './stored-value.js'

/**
 * A Date or binary data as it was handed out. Nobody is told when it is changed in place, so it is
 * compared: with what was committed, and at each savepoint with what it was at the one before.
 */
export class OpaqueCopy {
  readonly copy: object
  readonly #original: object
  #saved: object // what it held at the last savepoint

  constructor(copy: object, original: object) {
    this.copy = copy
    this.#original = original
    this.#saved = original
  }

  get isChanged(): boolean {
    return !sameOpaque(this.copy, this.#original)
  }

  /** Keeps what it holds now. @returns what was kept until now, when that was something else. */
  save(): object | undefined {
    if (sameOpaque(this.copy, this.#saved)) return undefined
    const before = this.#saved
    this.#saved = copyOpaque(this.copy) as object
    return before
  }

  /** Makes it hold again what it held at the last savepoint, or `earlier`. */
  restore(earlier: object = this.#saved): void {
    this.#saved = earlier
    if (!sameOpaque(this.copy, earlier)) overwrite(this.copy, earlier)
  }
}

function overwrite(target: object, source: object): void {
  if ('setTime' in target) (target as Date).setTime((source as Date).getTime())
  else bytesOf(target).set(bytesOf(source))
}
