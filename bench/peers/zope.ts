import { join } from 'node:path'
import type { Figure, Goal, Unit } from '../figure.js'
import { alternate, median, type Round } from '../harness.js'
import type { Settings } from '../subject.js'
import { NotAvailableError } from './not-available.js'
import { PythonProcess, pythonWith, versionsText } from './python-process.js'

/** A figure, and what zope does to be compared with it. */
export interface BesideZope {
  readonly name: string
  readonly unit: Unit
  readonly goal?: Goal
  readonly ours: Round
  readonly zope: ZopeWork
}

/**
 * Measures ours and zope in turns. Where zope does not run, the figure has no peer and loses the
 * goals that speak of it; why is said once.
 */
export async function besideZope(measured: BesideZope, settings: Settings): Promise<Figure> {
  const { name, unit, goal, ours, zope } = measured
  await using peer = await start(zope, settings)
  const round = peer && (() => peer.round(settings.roundMs))
  const samples = await alternate<string>({ ours, ...(round && { zope: round }) }, settings)
  const value = median(samples.ours as readonly number[])
  const figure = { name, value, unit, samples: samples.ours as readonly number[] }
  const { ratioAtLeast, ratioAtMost, speedAtLeast, ...absolute } = goal ?? {}
  if (peer === undefined) return { ...figure, ...(hasAny(absolute) && { goal: absolute }) }
  const facts = Object.entries(await peer.facts())
  const what = ['zope', ...facts.map(([fact, count]) => `${fact} ${count.toPrecision(3)}`)].join(
    ', ',
  )
  const other = { what, value: median(samples.zope as readonly number[]) }
  return { ...figure, peer: other, ...(goal && { goal }) }
}

/** What a process of zope does; `zope_peer.py` has the works and what each counts. */
export type ZopeWork =
  | { readonly work: 'traverse'; readonly options: Record<string, never> }
  | {
      readonly work: 'lookup' | 'utility' | 'adapter'
      /** `bases`: registries in a row, one the base of the other, above the one that is asked. */
      readonly options: { readonly bases: number }
    }
  | { readonly work: 'notify'; readonly options: { readonly handlers: number } }
  | { readonly work: 'site'; readonly options: { readonly depth: number } }
  | {
      readonly work: 'permission'
      /** `grant`: who has it at the root, the principal itself, its role, or its group's role. */
      readonly options: {
        readonly depth: number
        readonly grant: 'principal' | 'role' | 'group'
        readonly cache: 'warm' | 'cold'
      }
    }
  | {
      readonly work: 'register'
      /** `directory`: for FileStorage; there is nothing yet. */
      readonly options: { readonly components: number; readonly directory: string }
    }

const VERSIONS = {
  'zope.interface': '8.7',
  'zope.component': '7.1',
  'zope.traversing': '6.0',
  'zope.container': '7.3',
  'zope.site': '6.0',
  'zope.location': '6.0',
  'zope.securitypolicy': '6.0',
  'zope.principalregistry': '6.0',
  ZODB: '6.4',
} as const
/** With a number of its own: other packages or versions go to another folder. */
const FOLDER = `zope-component-${VERSIONS['zope.component']}-2`
/** Beside the sources: the compiler leaves it where it is. */
const PROGRAM = join(process.cwd(), 'bench', 'peers', 'zope_peer.py')

let hasSaidWhy = false

/** `undefined` when there is no Python, no network, or it is not wanted. */
async function start(zope: ZopeWork, settings: Settings): Promise<ZopeProcess | undefined> {
  if (!settings.withPeers) return undefined
  try {
    const process = await ZopeProcess.start(zope)
    settings.note('zope', process.versions)
    return process
  } catch (error) {
    if (!(error instanceof NotAvailableError)) throw error
    if (!hasSaidWhy) console.error(`without zope: ${error.message}`)
    hasSaidWhy = true
    settings.note('zope', 'did not run')
    return undefined
  }
}

/** One for each figure: what zope registers is global. */
class ZopeProcess implements AsyncDisposable {
  /** Of its packages, and of Python. */
  readonly versions: string
  readonly #python: PythonProcess

  /** @throws NotAvailableError without Python, or when a package cannot be installed. */
  static async start({ work, options }: ZopeWork): Promise<ZopeProcess> {
    const packages = Object.entries(VERSIONS).map(([name, version]) => `${name}==${version}`)
    const python = new PythonProcess(await pythonWith(FOLDER, packages), 'zope', [PROGRAM])
    try {
      const { versions } = await python.ask({ do: 'hello' }).catch((error: Error) => {
        throw new NotAvailableError(error.message)
      })
      await python.ask({ do: 'enter', work, options })
      return new ZopeProcess(python, versionsText(versions))
    } catch (error) {
      await python[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(python: PythonProcess, versions: string) {
    this.#python = python
    this.versions = versions
  }

  async round(roundMs: number): Promise<number> {
    return (await this.#python.ask({ do: 'round', roundMs })).sample as number
  }

  /** Numbers that were counted beside the samples. */
  async facts(): Promise<Readonly<Record<string, number>>> {
    return (await this.#python.ask({ do: 'leave' })).facts as Record<string, number>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#python[Symbol.asyncDispose]()
  }
}

function hasAny(goal: Goal): boolean {
  return Object.keys(goal).length > 0
}
