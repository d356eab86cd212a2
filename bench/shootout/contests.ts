import type { Target, Unit } from '../figure.js'
import type { ContenderName } from './contender.js'
import type { Operation, Task } from './task.js'

/** One figure: a task, who does it beside us, and what we want to reach. */
export interface Contest {
  readonly name: string
  readonly unit: Unit
  readonly task: Task
  /** With their order in tables. */
  readonly rivals: readonly Exclude<ContenderName, 'treehook'>[]
  readonly targets: readonly Target[]
  /** Fewer than usual, where one takes long. */
  readonly samplesAtMost?: number
}

const SIZES = [1, 10, 100, 1000] as const
const CLIENTS = [1, 16, 64] as const
const OVERLAPS = [0, 1, 10, 100] as const
const OPENED = [10_000, 100_000, 1_000_000] as const

/** All, in the order of tables. Quick ones are smaller where size is what takes long. */
export function contests({ isQuick }: { readonly isQuick: boolean }): readonly Contest[] {
  return [
    ...SIZES.flatMap(writesOf),
    ...SIZES.flatMap(readsOf),
    ...single(),
    ...CLIENTS.flatMap(commitsOf),
    ...inserts(),
    containerIterate(isQuick ? 500 : 10_000),
    mixed(),
    ...OVERLAPS.map(conflictRetry),
    savepoint(isQuick ? 100 : 1000),
    ...[false, true].flatMap((isReopened) =>
      OPENED.map((objects) => open(objects, isQuick ? objects / 100 : objects, isReopened)),
    ),
  ]
}

function writesOf(objects: number): readonly Contest[] {
  const loops = loopsFor(objects, 20)
  const of = (operation: Operation, targets: readonly Target[], more: Partial<Contest> = {}) =>
    contest(`${operation}-${objects}`, { operation, objects, loops }, { targets, ...more })
  const stores = ['zodb', 'raw', 'lmdb', 'sqlite'] as const
  const floored = ['zodb', 'raw'] as const
  const overZodb = objects === 1000 ? [zodb(2.5)] : objects === 100 ? [zodb(1.5)] : []
  const small: readonly Target[] = objects <= 10 ? [{ rival: 'raw batch', timeAtMost: 1.15 }] : []
  const large: readonly Target[] =
    objects === 1000 ? [{ atMost: 6 }, { rival: 'raw', timeAtMost: 2 }] : []
  return [
    of('add', [...overZodb, ...small], { rivals: stores }),
    of('store', objects >= 100 ? [{ rival: 'raw', timeAtMost: 1.3 }] : [], { rivals: floored }),
    of('update', [...overZodb, ...small, ...large], { rivals: stores }),
    of('read-after-write', overZodb, { rivals: floored }),
    of('conflicting-updates', []),
    of('read-current', []),
    ...relaxed(objects, loops),
    ...withHistory(objects, loops),
  ]
}

function relaxed(objects: number, loops: number): readonly Contest[] {
  return (['add', 'update'] as const).map((operation) =>
    contest(
      `${operation}-${objects}-relaxed`,
      { operation, objects, loops, durability: 'relaxed' },
      { rivals: ['zodb', 'raw'], targets: objects <= 10 ? [zodb(3)] : [] },
    ),
  )
}

/** FileStorage always keeps it. */
function withHistory(objects: number, loops: number): readonly Contest[] {
  if (objects < 100) return []
  const task = { operation: 'update', objects, loops, isHistoryKept: true } as const
  return [contest(`update-${objects}-history`, task, { rivals: ['zodb', 'raw'] })]
}

function readsOf(objects: number): readonly Contest[] {
  const of = (operation: Operation, loops: number, targets: readonly Target[]) => {
    const floor = operation === 'cold-read' ? (['raw'] as const) : []
    return contest(
      `${operation}-${objects}`,
      { operation, objects, loops },
      { targets, rivals: ['zodb', ...floor, 'lmdb', 'sqlite'] },
    )
  }
  const overStores = (['lmdb', 'sqlite'] as const).map((rival) => ({ rival, speedAtLeast: 10 }))
  const noLoads = { fact: 'loads', atMost: 0 }
  return [
    of('cold-read', 1, [zodb(2), { rival: 'raw', timeAtMost: 1.3 }]),
    of('hot-read', readsFor(objects, 50), [zodb(20), ...overStores]),
    of('steamin-read', readsFor(objects, 100), [zodb(3), ...overStores, noLoads]),
    contest(`new-oid-${objects}`, { operation: 'new-oid', objects, loops: 20 }),
  ]
}

function single(): readonly Contest[] {
  return [
    contest('empty-transaction-commit', {
      operation: 'empty-transaction-commit',
      objects: 0,
      loops: 200,
    }),
  ]
}

function commitsOf(clients: number): readonly Contest[] {
  const targets: readonly Target[] =
    clients === 1 ? [] : [zodb(5), { rival: 'raw', speedAtLeast: 0.75 }]
  return (['sync', 'relaxed'] as const).map((durability) =>
    contest(
      `commits-${clients}${durability === 'relaxed' ? '-relaxed' : ''}`,
      { operation: 'commits', objects: 1, clients, durability, loops: 50 },
      { unit: 'commits/s', rivals: ['zodb', 'raw'], targets: durability === 'sync' ? targets : [] },
    ),
  )
}

function inserts(): readonly Contest[] {
  const of = (name: string, isRising: boolean, targets: readonly Target[]) =>
    contest(
      `container-insert-${name}-8`,
      { operation: 'container-insert', objects: 1, clients: 8, isRising },
      { unit: 'inserts/s', targets },
    )
  return [of('rising', true, [{ fact: 'conflicts', atMost: 0 }, zodb(5)]), of('random', false, [])]
}

function containerIterate(objects: number): Contest {
  const task = { operation: 'container-iterate', objects } as const
  return contest('container-iterate-10000', task, { rivals: ['zodb', 'raw'] })
}

function mixed(): Contest {
  const task = { operation: 'mixed', objects: 100, clients: 8 } as const
  return contest('mixed-100', task, { unit: 'transactions/s' })
}

function conflictRetry(overlapPercent: number): Contest {
  const task = { operation: 'conflict-retry', objects: 1, clients: 8, overlapPercent } as const
  return contest(`conflict-retry-${overlapPercent}`, task, { unit: 'transactions/s' })
}

function savepoint(objects: number): Contest {
  return contest('savepoint-1000', { operation: 'savepoint', objects })
}

/**
 * The name says how many there are in a full run. Killed as it was filled, a database has as much in its
 * logs as the moment will have it; killed later, after the same commits at any size, the same.
 */
function open(name: number, objects: number, isReopened: boolean): Contest {
  const kind = isReopened ? 'open-later' : 'open'
  const flat: readonly Target[] = name > 10_000 ? [{ rival: `${kind}-10000`, timeAtMost: 2 }] : []
  return contest(
    `${kind}-${name}`,
    { operation: 'open', objects, isReopened },
    {
      rivals: isReopened ? ['raw'] : ['zodb', 'raw'],
      targets: [{ atMost: 1000 }, ...flat],
      ...(name === 1_000_000 && { samplesAtMost: 7 }),
    },
  )
}

function contest(
  name: string,
  task: Pick<Task, 'operation' | 'objects'> & Partial<Task>,
  { unit = 'ms', rivals = ['zodb'], targets = [], samplesAtMost }: Partial<Contest> = {},
): Contest {
  return {
    name: `shootout-${name}`,
    unit,
    task: { ...DEFAULTS, ...task },
    rivals,
    targets,
    ...(samplesAtMost !== undefined && { samplesAtMost }),
  }
}

const DEFAULTS = {
  durability: 'sync',
  clients: 1,
  loops: 1,
  roundMs: 100,
  isHistoryKept: false,
  isRising: true,
  isReopened: false,
  overlapPercent: 0,
} as const

function zodb(speedAtLeast: number): Target {
  return { rival: 'zodb', speedAtLeast }
}

/** Fewer of the large ones, so that a sample takes about as long. */
function loopsFor(objects: number, ofOne: number): number {
  return Math.max(1, Math.round(ofOne / objects ** 0.75))
}

/**
 * As many in a row as zodbshootout makes, at least: what is in memory is read again and again. The
 * first one also waits for the processor's own caches, which another contender has filled meanwhile.
 */
function readsFor(objects: number, ofOne: number): number {
  return Math.max(ZODBSHOOTOUT_LOOPS, loopsFor(objects, ofOne))
}

const ZODBSHOOTOUT_LOOPS = 10
