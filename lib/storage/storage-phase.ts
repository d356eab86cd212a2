import { invariant } from '../foundation/index.js'
import {
  type CheckpointFailedError,
  type OutcomeUnknownError,
  StorageClosedError,
  StorageReadOnlyError,
} from './errors.js'

/**
 * | phase     | what is true                                        | leads to                          |
 * | --------- | --------------------------------------------------- | --------------------------------- |
 * | `new`     | holds nothing                                       | `opening`, `closed`               |
 * | `opening` | the place may be ours                               | `open`, or `new` when open failed |
 * | `open`    | contents are known, no write is on its way          | `writing`, `inDoubt`, `closed`    |
 * | `writing` | one batch is on its way                             | `open`, `inDoubt`                 |
 * | `inDoubt` | a batch failed and may be on disk: acknowledged commits are read, none is written | `closed` |
 * | `closed`  | the place is let go, or about to be                 | —                                 |
 */
type Phase = 'new' | 'opening' | 'open' | 'writing' | 'inDoubt' | 'closed'

/** What a storage is doing, and what it refuses meanwhile. */
export class StoragePhase {
  readonly #location: string
  readonly #isReadOnly: boolean
  #phase: Phase = 'new'
  /** Settles when the running open or write has; never rejects. */
  #busy: Promise<unknown> = Promise.resolve()
  #failure: OutcomeUnknownError | CheckpointFailedError | undefined

  /** @param location - for messages. */
  constructor(location: string, { isReadOnly }: { readonly isReadOnly: boolean }) {
    this.#location = location
    this.#isReadOnly = isReadOnly
  }

  /** True when what was acknowledged can be read. */
  get isOpen(): boolean {
    return this.#phase === 'open' || this.#phase === 'writing' || this.#phase === 'inDoubt'
  }

  /** Why nothing is written any more. */
  get failure(): OutcomeUnknownError | CheckpointFailedError | undefined {
    return this.#failure
  }

  /** Once; again when it has failed. */
  async open(opening: () => Promise<void>): Promise<void> {
    if (this.#phase === 'closed') throw this.closedError()
    invariant(this.#phase === 'new', 'a storage is opened once')
    this.#phase = 'opening'
    await this.#whileBusy(opening(), (isDone) => (isDone ? 'open' : 'new'))
  }

  /** @throws STORAGE_CLOSED, STORAGE_READ_ONLY; what `writing` throws. */
  async write(writing: () => Promise<void>): Promise<void> {
    this.assertWritable()
    this.#phase = 'writing'
    await this.#whileBusy(writing(), () => (this.#failure === undefined ? 'open' : 'inDoubt'))
  }

  async #whileBusy(work: Promise<void>, next: (isDone: boolean) => Phase): Promise<void> {
    const done = work.then(
      () => {
        this.#phase = next(true)
      },
      (error: unknown) => {
        this.#phase = next(false)
        throw error
      },
    )
    this.#busy = done.catch(() => undefined)
    await done
  }

  /** Nothing is written from now on. */
  fail(failure: OutcomeUnknownError | CheckpointFailedError): void {
    this.#failure = failure
    if (this.#phase === 'open') this.#phase = 'inDoubt'
  }

  /**
   * Waits for what is under way.
   * @returns whether it was open.
   */
  async close(): Promise<boolean> {
    while (this.#phase === 'opening' || this.#phase === 'writing') await this.#busy
    const wasOpen = this.isOpen
    this.#phase = 'closed'
    return wasOpen
  }

  /** @throws STORAGE_CLOSED */
  assertOpen(): void {
    if (!this.isOpen) throw this.closedError()
  }

  /** @throws STORAGE_CLOSED, STORAGE_READ_ONLY */
  assertWritable(): void {
    invariant(this.#phase !== 'writing', 'a write begins after the one before it has ended')
    if (this.#phase !== 'open') throw this.closedError()
    this.assertSound()
  }

  /** As {@link assertWritable}, also for what goes on beside a write. */
  assertSound(): void {
    this.assertOpen()
    if (this.#isReadOnly) throw this.#readOnlyError()
    if (this.#failure !== undefined) throw this.closedError()
  }

  /** Why there is nothing to read, or nothing is written. */
  closedError(): StorageClosedError {
    const details = { location: this.#location }
    if (this.#phase !== 'closed' && this.#failure !== undefined) {
      return new StorageClosedError(
        `The storage ${this.#location} takes no more commits since writing to it failed. Close it and open it ` +
          'again: the open says which commits survived.',
        { cause: this.#failure, details },
      )
    }
    const why = this.#phase === 'closed' ? 'is closed' : 'is not open yet'
    return new StorageClosedError(`The storage ${this.#location} ${why}.`, { details })
  }

  #readOnlyError(): StorageReadOnlyError {
    return new StorageReadOnlyError(
      `The storage ${this.#location} was opened for reading. Open it without readOnly to write.`,
      { details: { location: this.#location } },
    )
  }
}
