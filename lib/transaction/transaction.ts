import { invariant } from '../foundation/index.js'
import { assertManager } from './data-manager.js'
import type { ErrorReporter } from './error-reporter.js'
import { DoomedTransactionError, TransactionFailedError, WrongStatusError } from './errors.js'
import { FirstError } from './first-error.js'
import { HookQueue } from './hooks.js'
import type {
  DataManager,
  Savepoint,
  Synchronizer,
  Transaction,
  TransactionStatus,
} from './interfaces.js'
import { isPromise } from './is-promise.js'
import { LateAborts } from './late-aborts.js'
import { TransactionMetadata } from './metadata.js'
import { SavepointLine, type SavepointOwner, TransactionSavepoint } from './savepoint.js'
import { statusTransitions } from './status.js'
import type { Synchronizers } from './synchronizers.js'
import { twoPhaseCommit } from './two-phase-commit.js'

/** What a transaction needs of the manager that began it. @internal */
export interface TransactionHost {
  readonly synchronizers: Synchronizers
  /** Must not throw. */
  readonly report: ErrorReporter
  /** The transaction is over: it is no longer the current one. */
  letGo(transaction: Transaction): void
}

/**
 * The transaction that a manager begins. Single use.
 *
 * Where it stands is `status` for others, and finer for itself:
 *
 * | stage | what happens | leads out |
 * | --- | --- | --- |
 * | `open` | work, or waiting for `abort` after a failure | commit, abort |
 * | `beforeCommit` | before-commit hooks run, status still `active` | a hook's error → `open`; `commit` |
 * | `commit` | from `beforeCompletion` to the last after-commit hook | failure → `open`; `over` |
 * | `abort` | from the first before-abort hook on | `over` |
 * | `over` | managers, hooks and data are forgotten | — |
 *
 * Source: `transaction._transaction.Transaction`.
 * @internal
 */
export class ManagedTransaction implements Transaction, SavepointOwner {
  readonly #host: TransactionHost
  #status: TransactionStatus = 'active'
  #stage: 'open' | 'beforeCommit' | 'commit' | 'abort' | 'over' = 'open'
  #failure: unknown // what led to commitFailed
  #aborting: Promise<void> | undefined // the abort on its way

  #managers: readonly DataManager[] = NO_MANAGERS // in the order of joining; replaced, not shared
  #lateAborts: LateAborts | undefined
  #savepoints: SavepointLine | undefined
  #data: Map<object, unknown> | undefined

  #beforeCommit: HookQueue | undefined
  #afterCommit: HookQueue<[succeeded: boolean]> | undefined
  #beforeAbort: HookQueue | undefined
  #afterAbort: HookQueue | undefined

  #metadata = TransactionMetadata.empty

  constructor(host: TransactionHost) {
    this.#host = host
  }

  get status(): TransactionStatus {
    return this.#status
  }

  // ── Two-phase commit and abort ──────────────────────────────────────────────────────────────

  commit(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.commitThen(resolve, reject)
    })
  }

  /**
   * Commits, and calls one of both in the step in which the outcome is known.
   *
   * Source: `transaction._transaction.Transaction.commit`, its order kept step by step.
   * @internal
   */
  commitThen(onCommitted: () => void, onFailed: (error: unknown) => void): void {
    try {
      this.#refuseCommit()
      this.#savepoints?.clear()
      this.refuseWhenFailed('commit')
    } catch (error) {
      onFailed(error)
      return
    }
    this.#stage = 'beforeCommit'
    this.#prepareCommit(onCommitted, onFailed)
  }

  /** Calls hooks until none is left: one of them may have added others. */
  #prepareCommit(onCommitted: () => void, onFailed: (error: unknown) => void): void {
    const hooks = this.#beforeCommit
    if (hooks === undefined || hooks.isEmpty) this.#beginCommit(onCommitted, onFailed)
    else {
      hooks.call().then(
        () => this.#prepareCommit(onCommitted, onFailed),
        (error: unknown) => this.#takeBack(error, onFailed),
      )
    }
  }

  /** Nothing has begun: the transaction is as it was, and may be committed again. */
  #takeBack(error: unknown, onFailed: (error: unknown) => void): void {
    this.#stage = 'open'
    onFailed(error)
  }

  #beginCommit(onCommitted: () => void, onFailed: (error: unknown) => void): void {
    try {
      this.#tellBeforeCompletion()
    } catch (error) {
      this.#takeBack(error, onFailed)
      return
    }
    this.#moveTo('committing')
    twoPhaseCommit({
      transaction: this,
      managers: this.#managers,
      report: this.#host.report,
      ready: this.#takeLateAborts(),
      onCommitted: () => this.#endCommit(onCommitted),
      onFailed: (error) => this.#endFailedCommit(error, onFailed),
    })
  }

  #endCommit(onCommitted: () => void): void {
    this.#moveTo('committed')
    const end = () => {
      this.#host.letGo(this)
      this.#forget()
      onCommitted()
    }
    const completing = this.#complete(true)
    if (completing === undefined) end()
    else void completing.then(end)
  }

  /** The transaction stays the current one until somebody aborts it. */
  #endFailedCommit(error: unknown, onFailed: (error: unknown) => void): void {
    this.fail(error)
    const completing = this.#complete(false) ?? Promise.resolve()
    void completing.then(() => this.#takeBack(error, onFailed))
  }

  /**
   * Source: `transaction._transaction.Transaction.abort`. There, an error of an after-abort hook
   * kept the synchronizers from hearing of the end; here it does not. A hook or manager must not
   * wait for the abort that it is part of.
   */
  async abort(): Promise<void> {
    if (this.#status === 'aborted' && this.#stage === 'over') return
    if (this.#stage === 'beforeCommit' || this.#stage === 'commit') {
      throw WrongStatusError.on('abort', this.#status, 'wait until commit() has settled.')
    }
    if (this.#status === 'committed') {
      throw WrongStatusError.on('abort', this.#status, 'it is committed and stays so.')
    }
    if (this.#stage !== 'abort') {
      this.#stage = 'abort'
      this.#aborting = this.#abort()
    }
    // A second caller waits for the first one's abort. Called by a hook of that very abort it may
    // be undefined yet, and nothing is to wait for.
    return this.#aborting
  }

  /**
   * Takes back a begin that failed half-way. Synchronous, as begin is.
   * @internal
   */
  discard(): void {
    this.#stage = 'abort'
    const report = (error: unknown): void => this.#host.report(error, 'abort')
    for (const manager of this.#managers) {
      try {
        const waiting = manager.abort(this)
        if (isPromise(waiting)) waiting.then(undefined, report)
      } catch (error) {
        report(error)
      }
    }
    this.#moveTo('aborted')
    this.#host.letGo(this)
    this.#forget()
  }

  /** Source: `transaction._transaction.Transaction.doom`. */
  doom(): void {
    if (this.#status === 'doomed') return
    if (this.#status !== 'active') {
      throw WrongStatusError.on('doom', this.#status, 'only work in progress can be doomed.')
    }
    this.#moveTo('doomed')
  }

  isDoomed(): boolean {
    return this.#status === 'doomed'
  }

  #refuseCommit(): void {
    if (this.#status === 'doomed' && this.#stage === 'open') throw DoomedTransactionError.onCommit()
    if (this.#stage === 'open') return
    const advice =
      this.#stage === 'over' ? 'begin another one.' : 'it is already being committed or aborted.'
    throw WrongStatusError.on('commit', this.#status, advice)
  }

  /** In one step with the change to `committing`: nobody can doom or join in between. */
  #tellBeforeCompletion(): void {
    this.#refuseAfterPreparing()
    this.#stage = 'commit'
    this.#host.synchronizers.beforeCommit(this)
    this.#refuseAfterPreparing()
  }

  /** Hooks and synchronizers may have doomed the transaction or taken savepoints, even failing ones. */
  #refuseAfterPreparing(): void {
    if (this.isDoomed()) throw DoomedTransactionError.onCommit()
    this.refuseWhenFailed('commit')
    this.#savepoints?.clear()
  }

  /** Everything after two-phase commit: nothing here can change its outcome. */
  #complete(succeeded: boolean): Promise<void> | undefined {
    this.#host.synchronizers.afterCompletion(this, this.#host.report)
    return this.#afterCommit && this.#callAfterCommit(this.#afterCommit, succeeded)
  }

  async #callAfterCommit(
    hooks: HookQueue<[succeeded: boolean]>,
    succeeded: boolean,
  ): Promise<void> {
    await hooks.callAll((error) => this.#host.report(error, 'afterCommitHook'), succeeded)
    // Hooks may have changed objects again; these changes belong to no transaction.
    await this.#abortManagers((error) => this.#host.report(error, 'abort'))
    this.#afterCommit = undefined
  }

  async #abort(): Promise<void> {
    const { report, synchronizers } = this.#host
    const failure = new FirstError(report)

    if (this.#beforeAbort !== undefined) {
      await this.#beforeAbort.callAll((error) => report(error, 'beforeAbortHook'))
    }
    this.#savepoints?.clear()
    synchronizers.beforeAbort(this, (error) => failure.add(error, 'beforeCompletion'))
    const lateAborts = this.#takeLateAborts()
    if (lateAborts !== undefined) {
      await lateAborts.catch((error: unknown) => report(error, 'abort'))
    }
    if (this.#managers.length > 0) {
      await this.#abortManagers((error) => failure.add(error, 'abort'))
    }
    this.#moveTo('aborted')

    if (this.#afterAbort !== undefined) {
      await this.#afterAbort.call().catch((error: unknown) => failure.add(error, 'afterAbortHook'))
      // As after commit: what the hooks changed is dropped.
      await this.#abortManagers((error) => report(error, 'abort'))
    }
    this.#host.letGo(this)
    synchronizers.afterCompletion(this, report)
    this.#forget()
    failure.throwIfAny()
  }

  /** In the order of joining; every one is called. */
  async #abortManagers(failed: (error: unknown) => void): Promise<void> {
    // By index: what a manager's abort makes join is aborted too.
    for (let index = 0; index < this.#managers.length; index++) {
      try {
        const waiting = this.#managers[index]!.abort(this)
        if (isPromise(waiting)) await waiting
      } catch (error) {
        failed(error)
      }
    }
  }

  #forget(): void {
    this.#stage = 'over'
    this.#managers = NO_MANAGERS
    this.#lateAborts = undefined
    this.#savepoints = undefined
    this.#data = undefined
    this.#beforeCommit = undefined
    this.#afterCommit = undefined
    this.#beforeAbort = undefined
    this.#afterAbort = undefined
  }

  // ── Status ──────────────────────────────────────────────────────────────────────────────────

  /** @internal */
  fail(error: unknown): void {
    if (this.#status === 'commitFailed') return
    this.#moveTo('commitFailed')
    this.#failure = error
  }

  /** @internal */
  refuseWhenFailed(action: string): void {
    if (this.#status === 'commitFailed') throw TransactionFailedError.since(action, this.#failure)
  }

  #moveTo(next: TransactionStatus): void {
    invariant(
      statusTransitions[this.#status].includes(next),
      'a transaction changes its status as the table of transitions says',
    )
    this.#status = next
  }

  /** Work is possible while active or doomed: neither committing nor ended nor failed. */
  #refuseUnlessWorking(action: string): void {
    this.refuseWhenFailed(action)
    if (this.#status === 'active' || this.#status === 'doomed') return
    const advice =
      this.#status === 'committing'
        ? 'do it before commit(), or in a before-commit hook.'
        : 'it has ended; begin another one.'
    throw WrongStatusError.on(action, this.#status, advice)
  }

  #refuseWhenOver(action: string): void {
    if (this.#stage === 'over') {
      throw WrongStatusError.on(action, this.#status, 'it has ended; begin another one.')
    }
  }

  // ── Managers and savepoints ─────────────────────────────────────────────────────────────────

  get synchronizers(): readonly Synchronizer[] {
    return this.#host.synchronizers.all()
  }

  get managers(): readonly DataManager[] {
    return this.#managers
  }

  /** Source: `transaction._transaction.Transaction.join`. */
  join(manager: DataManager): void {
    this.#refuseUnlessWorking('join')
    assertManager(manager)
    if (this.#managers === NO_MANAGERS) this.#managers = [manager]
    else (this.#managers as DataManager[]).push(manager)
  }

  /** Source: `transaction._transaction.Transaction.savepoint`. */
  savepoint({ optimistic = false }: { readonly optimistic?: boolean } = {}): Savepoint {
    this.#refuseUnlessWorking('savepoint')
    this.#savepoints ??= new SavepointLine()
    try {
      return new TransactionSavepoint(this, this.#savepoints, optimistic)
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  /** @internal */
  abortJoinedSince(count: number): void {
    for (const manager of this.#managers.slice(count)) {
      const waiting = manager.abort(this)
      if (isPromise(waiting)) {
        this.#lateAborts ??= new LateAborts()
        this.#lateAborts.add(waiting)
      }
    }
    this.#managers = count === 0 ? NO_MANAGERS : this.#managers.slice(0, count)
  }

  /** Waits for the aborts that rollbacks began; rejects with the first error, reports the others. */
  #takeLateAborts(): Promise<void> | undefined {
    const lateAborts = this.#lateAborts
    this.#lateAborts = undefined
    return lateAborts?.settle(this.#host.report)
  }

  // ── Hooks ───────────────────────────────────────────────────────────────────────────────────

  addBeforeCommitHook(hook: () => void | Promise<void>): void {
    if (this.#stage !== 'open' && this.#stage !== 'beforeCommit') {
      throw WrongStatusError.on('addBeforeCommitHook', this.#status, 'it would not be called.')
    }
    this.#beforeCommit ??= new HookQueue()
    this.#beforeCommit.add(hook)
  }

  addAfterCommitHook(hook: (succeeded: boolean) => void | Promise<void>): void {
    this.#refuseWhenOver('addAfterCommitHook')
    this.#afterCommit ??= new HookQueue()
    this.#afterCommit.add(hook)
  }

  addBeforeAbortHook(hook: () => void | Promise<void>): void {
    this.#refuseWhenOver('addBeforeAbortHook')
    this.#beforeAbort ??= new HookQueue()
    this.#beforeAbort.add(hook)
  }

  addAfterAbortHook(hook: () => void | Promise<void>): void {
    this.#refuseWhenOver('addAfterAbortHook')
    this.#afterAbort ??= new HookQueue()
    this.#afterAbort.add(hook)
  }

  // ── Metadata and data ───────────────────────────────────────────────────────────────────────

  get description(): string {
    return this.#metadata.description
  }

  get user(): string {
    return this.#metadata.user
  }

  set user(user: string) {
    this.#refuseWhenOver('user')
    this.#metadata = this.#metadata.withUser(user)
  }

  get extension(): Readonly<Record<string, unknown>> {
    return this.#metadata.extension
  }

  note(text: string): void {
    this.#refuseWhenOver('note')
    this.#metadata = this.#metadata.withNote(text)
  }

  setExtendedInfo(name: string, value: unknown): void {
    this.#refuseWhenOver('setExtendedInfo')
    this.#metadata = this.#metadata.with(name, value)
  }

  data<T>(key: object): T | undefined {
    return this.#data?.get(key) as T | undefined
  }

  setData(key: object, value: unknown): void {
    this.#refuseWhenOver('setData')
    this.#data ??= new Map()
    this.#data.set(key, value)
  }
}

/**
 * Commits, and calls one of both in the step in which the outcome is known: a promise less than
 * `transaction.commit()` where the transaction is one of ours.
 * @internal
 */
export function commitThen(
  transaction: Transaction,
  onCommitted: () => void,
  onFailed: (error: unknown) => void,
): void {
  if (transaction instanceof ManagedTransaction) transaction.commitThen(onCommitted, onFailed)
  else transaction.commit().then(onCommitted, onFailed)
}

const NO_MANAGERS: readonly DataManager[] = Object.freeze([])
