import { setMaxListeners } from 'node:events'
import { type Clock, systemClock } from '../foundation/index.js'
import { DueHeap } from './due-heap.js'
import { InvalidSettingError } from './errors.js'
import { Fifo } from './fifo.js'

/** One delivery to be made. @public */
export interface DeliveryJob {
  /** The endpoint: what gets its own share and its own order. */
  readonly key: string
  /** The host behind it; all jobs of a key name the same one. */
  readonly host: string
  /** Ms since the epoch; in the past for at once. */
  readonly dueAtMs: number
  /**
   * Makes the delivery and deals with its failure. A rejection is a mistake of its own and surfaces
   * as an unhandled one.
   * @param signal - aborted when the queue closes.
   */
  run(signal: AbortSignal): Promise<void>
}

/** @public */
export interface DeliveryQueueOptions {
  readonly clock?: Clock
  /** Jobs under way at once, in all. Default 64. */
  readonly maxRunning?: number
  /** … of one host. Default 16. */
  readonly maxRunningPerHost?: number
  /** … of one endpoint. Default 8. */
  readonly maxRunningPerEndpoint?: number
  /**
   * How many of `maxRunning` only an endpoint with nothing under way may take, so that a crowd of
   * slow ones leaves room for the others. Default a quarter.
   */
  readonly reserved?: number
}

/**
 * Decides which delivery is made next. It knows nothing of what is sent, and keeps nothing over a
 * restart.
 *
 * - Within an endpoint jobs start in the order in which they fall due.
 * - Endpoints take turns, so one that answers slowly costs its own share only.
 * - Nothing starts beyond the limits: overall, per host, per endpoint.
 *
 * An endpoint with due jobs is in exactly one place:
 *
 * | place | what is true | what leads out |
 * | --- | --- | --- |
 * | `turns` | may start a job, as far as known | its turn |
 * | its host's `waiting` | the host is at its limit | a job of the host ends |
 * | `crowded` | only reserved places are free, and it has a job under way | places free up; its own jobs end |
 * | none | at its own limit, or held | its job ends; the hold ends |
 *
 * Every job costs O(log n) when it has to wait for its time, O(1) otherwise.
 * @public
 */
export class DeliveryQueue {
  readonly #clock: Clock
  readonly #limits: Required<Omit<DeliveryQueueOptions, 'clock'>>
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #hosts = new Map<string, Host>()
  readonly #turns = new Fifo<Endpoint>()
  readonly #crowded = new Set<Endpoint>() // the longest waiting first
  readonly #later = new DueHeap<DeliveryJob | HoldEnd>()
  readonly #closing = new AbortController()
  #idleWaiters: (() => void)[] = []
  #running = 0
  #size = 0
  #paused = false
  #pumpScheduled = false
  #sleep: { readonly untilMs: number; readonly wake: AbortController } | undefined

  /** @throws WEBHOOK_INVALID_SETTING for a limit below 1. */
  constructor({
    clock = systemClock,
    maxRunning = 64,
    maxRunningPerHost = 16,
    maxRunningPerEndpoint = 8,
    reserved = Math.floor(maxRunning / 4),
  }: DeliveryQueueOptions = {}) {
    this.#clock = clock
    this.#limits = { maxRunning, maxRunningPerHost, maxRunningPerEndpoint, reserved }
    checkLimits(this.#limits)
    setMaxListeners(0, this.#closing.signal)
  }

  /** Jobs accepted and not ended: due, waiting for their time, and under way. */
  get size(): number {
    return this.#size
  }

  /** Jobs under way. */
  get running(): number {
    return this.#running
  }

  /**
   * Takes a job. It starts in a later turn of the event loop at the earliest, never inside this
   * call.
   * @returns false when the queue is closed: the job will not run.
   */
  add(job: DeliveryJob): boolean {
    if (this.#closing.signal.aborted) return false
    this.#size++
    if (job.dueAtMs > this.#clock.nowMs()) {
      this.#later.push(job.dueAtMs, job)
      this.#sleepUntilNextDue()
    } else {
      this.#enqueue(job)
    }
    return true
  }

  /**
   * Starts no job of this endpoint before `untilMs` (since the epoch), for it said that it is
   * overloaded. Jobs under way go on. A hold can be lengthened, not shortened.
   */
  holdEndpoint(key: string, untilMs: number): void {
    if (this.#closing.signal.aborted || untilMs <= this.#clock.nowMs()) return
    const endpoint = this.#endpointOf(key)
    if (untilMs <= endpoint.heldUntilMs) return
    endpoint.heldUntilMs = untilMs
    this.#later.push(untilMs, { heldKey: key })
    this.#sleepUntilNextDue()
  }

  /** Starts no further job until {@link resume}. Jobs under way go on. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedulePump()
  }

  /**
   * Resolves when nothing is under way and nothing is due. Jobs for later, and those of held
   * endpoints, are not waited for; while paused, due jobs are.
   */
  async waitForIdle(): Promise<void> {
    this.#promoteDue()
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  /**
   * Drops what has not started, aborts what is under way, and resolves when that has ended. May be
   * called again.
   */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#size = this.#running
      this.#turns.clear()
      this.#crowded.clear()
      this.#later.clear()
      this.#endpoints.clear()
      this.#hosts.clear()
      this.#sleep?.wake.abort()
      this.#closing.abort()
    }
    this.#schedulePump()
    await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
  }

  #enqueue(job: DeliveryJob): void {
    const endpoint = this.#endpointOf(job.key)
    endpoint.host ??= this.#hostOf(job.host)
    endpoint.due.push(job)
    this.#giveTurn(endpoint)
  }

  #giveTurn(endpoint: Endpoint): void {
    if (endpoint.isPlaced || !this.#mayStart(endpoint)) return
    endpoint.isPlaced = true
    this.#turns.push(endpoint)
    this.#schedulePump()
  }

  #mayStart(endpoint: Endpoint): boolean {
    return (
      endpoint.due.size > 0 &&
      endpoint.running < this.#limits.maxRunningPerEndpoint &&
      endpoint.heldUntilMs <= this.#clock.nowMs()
    )
  }

  /** Jobs start in a microtask: whoever adds many at once sees them take turns from the first on. */
  #schedulePump(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    queueMicrotask(() => {
      this.#pumpScheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    while (!this.#paused && this.#running < this.#limits.maxRunning) {
      const endpoint = this.#turns.shift()
      if (endpoint === undefined) break
      this.#takeTurn(endpoint)
    }
    if (this.#isIdle()) this.#tellIdleWaiters()
  }

  #takeTurn(endpoint: Endpoint): void {
    const host = endpoint.host as Host
    if (!this.#mayStart(endpoint)) {
      endpoint.isPlaced = false
    } else if (host.running >= this.#limits.maxRunningPerHost) {
      host.waiting.push(endpoint)
    } else if (endpoint.running > 0 && this.#onlyReservedIsFree()) {
      this.#crowded.add(endpoint)
    } else {
      endpoint.isPlaced = false
      void this.#run(endpoint, host)
      this.#giveTurn(endpoint)
    }
    this.#wakeWaiting(host)
  }

  #onlyReservedIsFree(): boolean {
    return this.#running >= this.#limits.maxRunning - this.#limits.reserved
  }

  /**
   * Holds after every turn and every end: where a host has room and endpoints wait for it, one of
   * them is in `turns`; likewise for the crowded while places that are not reserved are free.
   */
  #wakeWaiting(host: Host): void {
    if (host.running < this.#limits.maxRunningPerHost) this.#turnAgain(host.waiting.shift())
    if (this.#crowded.size > 0 && !this.#onlyReservedIsFree()) {
      const [longest] = this.#crowded
      this.#leaveCrowd(longest as Endpoint)
    }
  }

  #leaveCrowd(endpoint: Endpoint): void {
    if (this.#crowded.delete(endpoint)) this.#turnAgain(endpoint)
  }

  #turnAgain(endpoint: Endpoint | undefined): void {
    if (endpoint === undefined) return
    this.#turns.push(endpoint)
    this.#schedulePump()
  }

  async #run(endpoint: Endpoint, host: Host): Promise<void> {
    const job = endpoint.due.shift() as DeliveryJob
    this.#running++
    endpoint.running++
    host.running++
    try {
      await job.run(this.#closing.signal)
    } finally {
      this.#running--
      endpoint.running--
      host.running--
      this.#size--
      this.#ended(endpoint, host)
    }
  }

  #ended(endpoint: Endpoint, host: Host): void {
    if (!this.#closing.signal.aborted) {
      if (endpoint.running === 0) this.#leaveCrowd(endpoint)
      this.#wakeWaiting(host)
      this.#giveTurn(endpoint)
      this.#forgetIfEmpty(endpoint)
    }
    this.#schedulePump()
  }

  #isIdle(): boolean {
    return this.#running === 0 && this.#turns.size === 0
  }

  #tellIdleWaiters(): void {
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const resolve of waiters) resolve()
  }

  #sleepUntilNextDue(): void {
    const dueAtMs = this.#later.nextDueAtMs
    if (dueAtMs === undefined) return
    if (this.#sleep !== undefined) {
      if (this.#sleep.untilMs <= dueAtMs) return
      this.#sleep.wake.abort()
    }
    void this.#wakeAt(dueAtMs)
  }

  async #wakeAt(untilMs: number): Promise<void> {
    const sleep = { untilMs, wake: new AbortController() }
    this.#sleep = sleep
    const waitMs = Math.max(0, untilMs - this.#clock.nowMs())
    await this.#clock.sleep(Math.min(waitMs, LONGEST_SLEEP_MS), sleep.wake.signal)
    if (this.#sleep !== sleep) return
    this.#sleep = undefined
    this.#promoteDue()
    this.#sleepUntilNextDue()
  }

  #promoteDue(): void {
    const nowMs = this.#clock.nowMs()
    for (let item = this.#later.popDue(nowMs); item; item = this.#later.popDue(nowMs)) {
      if ('heldKey' in item) this.#endHold(item.heldKey)
      else this.#enqueue(item)
    }
  }

  #endHold(key: string): void {
    const endpoint = this.#endpoints.get(key)
    if (endpoint === undefined) return
    this.#giveTurn(endpoint)
    this.#forgetIfEmpty(endpoint)
  }

  #endpointOf(key: string): Endpoint {
    let endpoint = this.#endpoints.get(key)
    if (endpoint === undefined) {
      endpoint = {
        key,
        host: undefined,
        due: new Fifo(),
        running: 0,
        heldUntilMs: 0,
        isPlaced: false,
      }
      this.#endpoints.set(key, endpoint)
    }
    return endpoint
  }

  #hostOf(name: string): Host {
    let host = this.#hosts.get(name)
    if (host === undefined) {
      host = { name, waiting: new Fifo(), running: 0, endpoints: 0 }
      this.#hosts.set(name, host)
    }
    host.endpoints++
    return host
  }

  #forgetIfEmpty(endpoint: Endpoint): void {
    if (endpoint.due.size > 0 || endpoint.running > 0) return
    if (endpoint.heldUntilMs > this.#clock.nowMs()) return
    this.#endpoints.delete(endpoint.key)
    if (endpoint.host !== undefined && --endpoint.host.endpoints === 0) {
      this.#hosts.delete(endpoint.host.name)
    }
  }
}

/** A clock that was set is noticed after this time at the latest. */
const LONGEST_SLEEP_MS = 60_000

interface Endpoint {
  readonly key: string
  host: Host | undefined // from its first job on
  readonly due: Fifo<DeliveryJob>
  running: number
  heldUntilMs: number
  isPlaced: boolean // in `turns`, `waiting` or `crowded`
}

interface Host {
  readonly name: string
  readonly waiting: Fifo<Endpoint>
  running: number
  endpoints: number // that refer to it
}

interface HoldEnd {
  readonly heldKey: string
}

function checkLimits(limits: Readonly<Record<string, number>>): void {
  for (const [name, limit] of Object.entries(limits)) {
    const least = name === 'reserved' ? 0 : 1
    if (!Number.isInteger(limit) || limit < least) {
      throw new InvalidSettingError(`${name} must be a whole number of ${least} or more.`)
    }
  }
}
