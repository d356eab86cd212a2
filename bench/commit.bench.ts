import { Database, type Durability, Folder, traverse } from '../lib/index.js'
import type { Figure, Goal, Peer } from './figure.js'
import { buildOffices, buildStaff, type Employee, OUN, STARTING_SALARY } from './fixtures.js'
import { alternate, best, median, ratePerSecond, verify } from './harness.js'
import {
  type CommitRows,
  FORMS,
  type Form,
  RawLevel,
  rowsOfClient,
  rowsWrittenBy,
} from './raw-level.js'
import type { Settings, Subject } from './subject.js'

/** Transactions that change one field of each of some objects, and commit. */
interface Shape {
  /** Changed in one transaction. */
  readonly objects: 1 | 10 | 1000
  readonly durability: 'durable' | 'relaxed'
  /** With transactions at once, each with objects of its own. */
  readonly clients: 1 | 64
}

const SHAPES: readonly Shape[] = ([1, 10, 1000] as const).flatMap((objects) =>
  (['durable', 'relaxed'] as const).flatMap((durability) =>
    ([1, 64] as const).map((clients) => ({ objects, durability, clients })),
  ),
)

export const commit: Subject = {
  name: 'commit',
  figures: SHAPES.flatMap(namesOf),
  async *measure(wanted, settings) {
    for (const shape of SHAPES) {
      if (!namesOf(shape).some((name) => wanted.has(name))) continue
      for (const figure of await measureShape(shape, settings)) {
        if (wanted.has(figure.name)) yield figure
      }
    }
  },
}

const GOALS: Readonly<Record<string, Goal>> = {
  'commit-1-durable-64': { ratioAtLeast: 0.6 },
  'commit-1000-durable-1-ms': { atMost: 10 },
}

function namesOf({ objects, durability, clients }: Shape): readonly string[] {
  const name = `commit-${objects}-${durability}-${clients}`
  return clients === 1 ? [name, `${name}-ms`] : [name]
}

async function measureShape(shape: Shape, settings: Settings): Promise<readonly Figure[]> {
  await using staff = await Staff.build(shape, settings)
  const rows = await commitRows(shape, settings)
  const samples =
    shape.clients === 1
      ? await besideForms(staff, rows, settings)
      : await besideQueue(staff, rows, settings)
  await staff.verify()
  const [rateName = '', msName] = namesOf(shape)
  const { ours, peer } = samples
  const rate = figureOf({ name: rateName, unit: 'commits/s', samples: ours, peer })
  if (msName === undefined) return [rate]
  const toMs = (perSecond: number): number => 1000 / perSecond
  return [
    rate,
    figureOf({
      name: msName,
      unit: 'ms',
      samples: ours.map(toMs),
      peer: { ...peer, value: toMs(peer.value) },
    }),
  ]
}

function figureOf(measured: Omit<Figure, 'value' | 'goal'>): Figure {
  const goal = GOALS[measured.name]
  return { ...measured, value: median(measured.samples), ...(goal && { goal }) }
}

interface Compared {
  readonly ours: readonly number[]
  readonly peer: Peer
}

/** One at a time. The peer: the fastest form in which LevelDB takes the same bytes. */
async function besideForms(staff: Staff, rows: CommitRows, settings: Settings): Promise<Compared> {
  const sync = staff.shape.durability === 'durable'
  await using raw = await RawLevel.open(settings.workspace.directory('raw-commit'))
  const roundOf = (form: Form) => () =>
    ratePerSecond(() => raw.commit(rows, { form, sync }), { ...settings, clients: 1 })
  const { ours, ...floors } = await alternate(
    {
      ours: () => staff.round(settings),
      'array batch': roundOf('array batch'),
      'chained batch': roundOf('chained batch'),
      'one value': roundOf('one value'),
    },
    settings,
  )
  verify('the number of raw commits', await raw.commitRows(), raw.commits)
  const fastest = best(floors, FORMS, { isBetter: (one, other) => one > other })
  return { ours, peer: { what: `raw ${fastest.name}`, value: fastest.value } }
}

/** Many at once. The peer: the same bytes of all that wait in one batch of LevelDB. */
async function besideQueue(staff: Staff, rows: CommitRows, settings: Settings): Promise<Compared> {
  const { clients, durability } = staff.shape
  const sync = durability === 'durable'
  await using raw = await RawLevel.open(settings.workspace.directory('raw-commit'))
  const rowsOf = Array.from({ length: clients }, (_, client) => rowsOfClient(rows, client))
  const { ours, queue } = await alternate(
    {
      ours: () => staff.round(settings),
      queue: () =>
        ratePerSecond((client) => raw.commitTogether(rowsOf[client] as CommitRows, { sync }), {
          ...settings,
          clients,
        }),
    },
    settings,
  )
  verify('the number of raw commits', await raw.commitRows(), raw.commits)
  return { ours, peer: { what: 'raw, one batch per flush', value: median(queue) } }
}

/** The employees of each client, in a folder of its own, and how often they got a raise. */
class Staff {
  readonly shape: Shape
  readonly #database: Database
  readonly #firstTid: number
  #commits = 0

  static async build(shape: Shape, { workspace }: Settings): Promise<Staff> {
    const database = await openedFor(shape, workspace.directory('commit'))
    await buildOffices(database)
    for (let client = 0; client < shape.clients; client++) {
      await buildStaff(database, { path: OUN, name: folderOf(client), count: shape.objects })
    }
    return new Staff(database, shape)
  }

  private constructor(database: Database, shape: Shape) {
    this.#database = database
    this.shape = shape
    this.#firstTid = database.lastTid
  }

  /** Commits per second. */
  round({ roundMs }: Settings): Promise<number> {
    const { clients } = this.shape
    return ratePerSecond((client) => this.#raise(client), { clients, roundMs })
  }

  async verify(): Promise<void> {
    const { objects, clients } = this.shape
    verify('the number of commits', this.#database.lastTid - this.#firstTid, this.#commits)
    let raises = 0
    await this.#database.view(({ root }) => {
      for (let client = 0; client < clients; client++) {
        for (const { salary } of employeesOf(root, client)) raises += salary - STARTING_SALARY
      }
    })
    verify('the sum of all raises', raises, this.#commits * objects)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.close()
  }

  async #raise(client: number): Promise<void> {
    await raise(this.#database, client)
    this.#commits++
  }
}

/** The transaction that is measured. */
function raise(database: Database, client: number): Promise<void> {
  return database.transaction(({ root }) => {
    for (const employee of employeesOf(root, client)) employee.salary++
  })
}

function employeesOf(root: object, client: number): Iterable<Employee> {
  const folder = traverse(root, `${OUN}/${folderOf(client)}`, Folder) as Folder<Employee>
  return folder.values()
}

function folderOf(client: number): string {
  return `employees-${client}`
}

function openedFor({ durability }: Shape, location: string): Promise<Database> {
  const known: Readonly<Record<Shape['durability'], Durability>> = {
    durable: 'sync',
    relaxed: 'relaxed',
  }
  return Database.open(location, { durability: known[durability] })
}

/** What one commit of a client writes. */
async function commitRows(shape: Shape, { workspace }: Settings): Promise<CommitRows> {
  const location = workspace.directory('rows')
  await using built = await openedFor(shape, location)
  await buildOffices(built)
  await buildStaff(built, { path: OUN, name: folderOf(0), count: shape.objects })
  await built.close()
  const rows = await rowsWrittenBy(location, async () => {
    await using database = await openedFor(shape, location)
    await raise(database, 0)
  })
  verify('the number of records in a commit', rows.records.length, shape.objects)
  return rows
}
