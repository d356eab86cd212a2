import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { FakeClock } from '../../lib/testing/index.js'
import {
  type DeliveryJob,
  DeliveryQueue,
  type DeliveryQueueOptions,
} from '../../lib/webhooks/delivery-queue.js'

/** A queue whose jobs last `lastsMs` of a clock that the test moves. */
class Scene {
  readonly clock = new FakeClock()
  readonly queue: DeliveryQueue
  readonly started: string[] = []
  readonly ended: string[] = []
  readonly runningOf = new Map<string, number>()
  readonly peakOf = new Map<string, number>()

  constructor(options: DeliveryQueueOptions = {}) {
    this.queue = new DeliveryQueue({ clock: this.clock, ...options })
  }

  add(
    name: string,
    options: { key?: string; host?: string; lastsMs?: number; inMs?: number } = {},
  ): boolean {
    const { key = 'a', host = key, lastsMs = 10, inMs = 0 } = options
    return this.queue.add({
      key,
      host,
      dueAtMs: this.clock.nowMs() + inMs,
      run: async (signal) => {
        this.started.push(name)
        for (const counted of ['all', `key ${key}`, `host ${host}`]) this.#count(counted, 1)
        await this.clock.sleep(lastsMs, signal)
        for (const counted of ['all', `key ${key}`, `host ${host}`]) this.#count(counted, -1)
        this.ended.push(name)
      },
    })
  }

  #count(counted: string, by: 1 | -1): void {
    const running = (this.runningOf.get(counted) ?? 0) + by
    this.runningOf.set(counted, running)
    this.peakOf.set(counted, Math.max(running, this.peakOf.get(counted) ?? 0))
  }
}

describe('Delivery queue', () => {
  test('jobs of an endpoint start in the order in which they were added', async () => {
    const scene = new Scene({ maxRunningPerEndpoint: 1 })
    for (const name of ['1', '2', '3']) scene.add(name)
    await scene.clock.advance(100)
    expect(scene.started).toEqual(['1', '2', '3'])
    expect(scene.ended).toEqual(['1', '2', '3'])
  })

  test('a job does not start inside add', async () => {
    const scene = new Scene()
    scene.add('1')
    expect(scene.started).toEqual([])
    await Promise.resolve()
    expect(scene.started).toEqual(['1'])
  })

  test('endpoints take turns', async () => {
    const scene = new Scene({ maxRunning: 1, reserved: 0 })
    for (const key of ['a', 'b', 'c']) {
      for (const n of [1, 2, 3]) scene.add(`${key}${n}`, { key })
    }
    await scene.clock.advance(200)
    expect(scene.started).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2', 'a3', 'b3', 'c3'])
  })

  test('a job waits for its time, and jobs fall due in order of their times', async () => {
    const scene = new Scene({ maxRunningPerEndpoint: 1 })
    scene.add('late', { inMs: 500 })
    scene.add('soon', { inMs: 100 })
    scene.add('now')
    await scene.clock.advance(99)
    expect(scene.started).toEqual(['now'])
    await scene.clock.advance(1)
    expect(scene.started).toEqual(['now', 'soon'])
    await scene.clock.advance(400)
    expect(scene.started).toEqual(['now', 'soon', 'late'])
  })

  test('a job for later does not stop those behind it', async () => {
    const scene = new Scene()
    scene.add('later', { inMs: 1000 })
    scene.add('now')
    await scene.clock.advance(10)
    expect(scene.ended).toEqual(['now'])
  })

  test('a wall clock that is set forward is noticed within a minute', async () => {
    const scene = new Scene()
    scene.add('tomorrow', { inMs: 86_400_000 })
    await scene.clock.advance(1)
    scene.clock.setNowMs(scene.clock.nowMs() + 90_000_000)
    await scene.clock.advance(60_000)
    expect(scene.started).toEqual(['tomorrow'])
  })

  test('the limits hold, overall, per host and per endpoint', async () => {
    const scene = new Scene({ maxRunning: 10, maxRunningPerHost: 4, maxRunningPerEndpoint: 3 })
    for (let n = 0; n < 300; n++) {
      const key = `e${n % 12}`
      scene.add(String(n), { key, host: `h${(n % 12) >> 1}`, lastsMs: 1 + (n % 7) })
    }
    await scene.clock.advance(10_000)
    expect(scene.ended).toHaveLength(300)
    expect(scene.peakOf.get('all')).toBe(10)
    for (const [counted, peak] of scene.peakOf) {
      if (counted.startsWith('key')) expect(peak).toBeLessThanOrEqual(3)
      if (counted.startsWith('host')) expect(peak).toBeLessThanOrEqual(4)
    }
  })

  test('one that never answers does not slow the others', async () => {
    const scene = new Scene()
    for (let n = 0; n < 100; n++) scene.add(`slow${n}`, { key: 'slow', lastsMs: 15_000 })
    for (let n = 0; n < 200; n++) scene.add(`good${n}`, { key: 'good', lastsMs: 1 })
    await scene.clock.advance(25) // 200 jobs of 1 ms, 8 at once
    expect(scene.ended.filter((name) => name.startsWith('good'))).toHaveLength(200)
    expect(scene.runningOf.get('key slow')).toBe(8)
  })

  test('a crowd that never answers leaves room for the others', async () => {
    const scene = new Scene()
    for (let n = 0; n < 100; n++) {
      for (let key = 0; key < 47; key++) scene.add('slow', { key: `slow${key}`, lastsMs: 15_000 })
    }
    await scene.clock.advance(1)
    for (let n = 0; n < 100; n++) scene.add('good', { key: 'good', lastsMs: 1 })
    await scene.clock.advance(100) // one at a time, at least
    expect(scene.ended.filter((name) => name === 'good')).toHaveLength(100)
  })

  test('a held endpoint starts nothing before its time, others do', async () => {
    const scene = new Scene({ maxRunningPerEndpoint: 1 })
    for (const name of ['a1', 'a2', 'a3']) scene.add(name, { key: 'a' })
    scene.add('b1', { key: 'b' })
    await scene.clock.advance(5)
    scene.queue.holdEndpoint('a', scene.clock.nowMs() + 1000)
    await scene.clock.advance(999)
    expect(scene.started).toEqual(['a1', 'b1'])
    await scene.clock.advance(1)
    expect(scene.started).toEqual(['a1', 'b1', 'a2'])
  })

  test('a hold is kept for jobs that come later, and is not shortened', async () => {
    const scene = new Scene()
    scene.queue.holdEndpoint('a', scene.clock.nowMs() + 1000)
    scene.queue.holdEndpoint('a', scene.clock.nowMs() + 10)
    scene.add('1')
    await scene.clock.advance(999)
    expect(scene.started).toEqual([])
    await scene.clock.advance(1)
    expect(scene.started).toEqual(['1'])
  })

  test('a hold that is lengthened ends at its later time', async () => {
    const scene = new Scene()
    scene.queue.holdEndpoint('a', scene.clock.nowMs() + 10)
    scene.add('1')
    scene.queue.holdEndpoint('a', scene.clock.nowMs() + 1000)
    await scene.clock.advance(999)
    expect(scene.started).toEqual([])
    await scene.clock.advance(1)
    expect(scene.started).toEqual(['1'])
  })

  test('while paused nothing starts', async () => {
    const scene = new Scene({ maxRunningPerEndpoint: 1 })
    scene.add('1')
    scene.add('2')
    await scene.clock.advance(1)
    scene.queue.pause()
    await scene.clock.advance(1000)
    expect(scene.ended).toEqual(['1'])
    scene.queue.resume()
    await scene.clock.advance(10)
    expect(scene.ended).toEqual(['1', '2'])
  })

  test('it tells how many jobs it has', async () => {
    const scene = new Scene({ maxRunningPerEndpoint: 1 })
    scene.add('1')
    scene.add('2')
    scene.add('later', { inMs: 1000 })
    await scene.clock.advance(1)
    expect([scene.queue.size, scene.queue.running]).toEqual([3, 1])
    await scene.clock.advance(2000)
    expect([scene.queue.size, scene.queue.running]).toEqual([0, 0])
  })

  test('idle is when nothing is under way or due', async () => {
    const scene = new Scene()
    await scene.queue.waitForIdle()
    scene.add('1')
    scene.add('later', { inMs: 1000 })
    let isIdle = false
    const idle = scene.queue.waitForIdle().then(() => {
      isIdle = true
    })
    await scene.clock.advance(9)
    expect(isIdle).toBe(false)
    await scene.clock.advance(1)
    await idle
    expect(scene.ended).toEqual(['1'])
  })

  test('closing aborts what is under way, drops the rest and waits for the end', async () => {
    const scene = new Scene({ maxRunningPerEndpoint: 1 })
    scene.add('1', { lastsMs: 1_000_000 })
    scene.add('2')
    scene.add('later', { inMs: 1000 })
    await scene.clock.advance(1)
    await scene.queue.close()
    expect(scene.ended).toEqual(['1'])
    expect(scene.queue.size).toBe(0)
    expect(scene.add('3')).toBe(false)
    await scene.queue.close()
    await scene.queue.waitForIdle()
    await scene.clock.advance(10_000)
    expect(scene.started).toEqual(['1'])
    expect(scene.clock.sleeping).toBe(0)
  })

  test('closing waits for a job that does not heed the signal', async () => {
    const clock = new FakeClock()
    const queue = new DeliveryQueue({ clock })
    let end = (): void => {}
    queue.add({
      key: 'a',
      host: 'a',
      dueAtMs: 0,
      run: () =>
        new Promise((resolve) => {
          end = resolve
        }),
    })
    await clock.advance(1)
    let isClosed = false
    const closed = queue.close().then(() => {
      isClosed = true
    })
    await clock.advance(1)
    expect(isClosed).toBe(false)
    end()
    await closed
  })

  test('a hundred thousand jobs go through', async () => {
    const clock = new FakeClock()
    const queue = new DeliveryQueue({ clock })
    let ran = 0
    const run = async (): Promise<void> => {
      ran++
    }
    const nowMs = clock.nowMs()
    for (let n = 0; n < 100_000; n++) {
      const key = `e${n % 1000}`
      const job: DeliveryJob = { key, host: key, dueAtMs: n % 2 ? nowMs : nowMs + (n % 977), run }
      queue.add(job)
    }
    expect(queue.size).toBe(100_000)
    await clock.advance(1000)
    await queue.waitForIdle()
    expect([ran, queue.size]).toEqual([100_000, 0])
  })

  test.each([{ maxRunning: 0 }, { maxRunningPerHost: 1.5 }, { reserved: -1 }])(
    '%j is no setting',
    (options) => {
      expect(() => new DeliveryQueue(options)).toThrow(
        expect.objectContaining({ code: 'WEBHOOK_INVALID_SETTING' }),
      )
    },
  )
})

describe('Delivery queue, for any work', () => {
  const aJob = fc.record({
    endpoint: fc.integer({ min: 0, max: 7 }),
    lastsMs: fc.integer({ min: 0, max: 60 }),
    inMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200 })),
    holdMs: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined, freq: 10 }),
  })
  const someLimits = fc.record({
    maxRunning: fc.integer({ min: 1, max: 8 }),
    maxRunningPerHost: fc.integer({ min: 1, max: 5 }),
    maxRunningPerEndpoint: fc.integer({ min: 1, max: 4 }),
  })

  test('every job runs once, in order within its endpoint, within the limits, and no place stays free for nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aJob, { maxLength: 60 }), someLimits, async (jobs, limits) => {
        const scene = new Scene(limits)
        jobs.forEach(({ endpoint, lastsMs, inMs, holdMs }, n) => {
          const key = `e${endpoint}`
          scene.add(`${key} ${inMs} ${n}`, { key, host: `h${endpoint >> 1}`, lastsMs, inMs })
          if (holdMs !== undefined) {
            scene.queue.holdEndpoint(key, scene.clock.nowMs() + holdMs)
          }
        })
        await scene.clock.advance(300) // all are due and all holds have ended
        // From here on at least one place is in use until all is done.
        await scene.clock.advance(60 * jobs.length)

        expect(scene.queue.size).toBe(0)
        expect([...scene.ended].sort()).toEqual([...scene.started].sort())
        expect(scene.started).toHaveLength(jobs.length)
        for (const [counted, peak] of scene.peakOf) {
          if (counted === 'all') expect(peak).toBeLessThanOrEqual(limits.maxRunning)
          if (counted.startsWith('host')) expect(peak).toBeLessThanOrEqual(limits.maxRunningPerHost)
          if (counted.startsWith('key'))
            expect(peak).toBeLessThanOrEqual(limits.maxRunningPerEndpoint)
        }
        for (const key of new Set(jobs.map(({ endpoint }) => `e${endpoint}`))) {
          const due = scene.started.filter((name) => name.startsWith(`${key} `)).map(dueAndNumber)
          expect(due).toEqual([...due].sort(([a, n], [b, m]) => a - b || n - m))
        }
        await scene.queue.close()
      }),
      { numRuns: 60 },
    )
  })

  test('no endpoint waits longer than one turn of each other one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        async (counts, maxRunning) => {
          const scene = new Scene({ maxRunning, reserved: 0 })
          counts.forEach((count, key) => {
            for (let n = 0; n < count; n++) scene.add(String(key), { key: `e${key}` })
          })
          await scene.clock.advance(10 * 300)
          // While an endpoint has jobs left, any window as long as there are endpoints holds it.
          counts.forEach((count, key) => {
            const turns = scene.started.flatMap((name, at) => (name === String(key) ? [at] : []))
            expect(turns).toHaveLength(count)
            const gaps = turns.map((at, n) => at - (turns[n - 1] ?? -1))
            expect(Math.max(...gaps)).toBeLessThanOrEqual(counts.length)
          })
        },
      ),
      { numRuns: 60 },
    )
  })
})

function dueAndNumber(name: string): readonly [number, number] {
  const [, due, number] = name.split(' ')
  return [Number(due), Number(number)]
}
