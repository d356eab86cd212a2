import type { Figure, Rival } from '../figure.js'
import { NotAvailableError } from '../peers/not-available.js'
import type { Settings, Subject } from '../subject.js'
import type { Contender, Supplies } from './contender.js'
import { type Field, hold } from './contest.js'
import { type Contest, contests } from './contests.js'
import { fsyncMs } from './fsync.js'
import { lmdb } from './lmdb.js'
import { PAYLOAD_BYTES, textsOf } from './payload.js'
import { raw } from './raw.js'
import { sqlite } from './sqlite.js'
import { treehook } from './treehook.js'
import { Zodb } from './zodb.js'

/** The operations of zodbshootout and some more, beside ZODB and others on the same disk. */
export const shootout: Subject = {
  name: 'shootout',
  figures: contests({ isQuick: false }).map(({ name }) => name),
  async *measure(wanted, settings) {
    const { workspace, note } = settings
    const chosen = contests(settings).filter(({ name }) => wanted.has(name))
    await using field = await Participants.gather(chosen, settings)
    const supplies = { workspace, texts: textsOf(SEED), seed: SEED }
    note('seed', String(SEED))
    note('objects', `a text of ${PAYLOAD_BYTES} letters and a number`)
    note('containers', CONTAINERS)
    note('4 KB and fdatasync', `${(await fsyncMs(workspace.location)).toFixed(3)} ms`)
    note('the system’s page cache', 'warm')
    const earlier = new Map<string, Figure>()
    for (const contest of chosen) {
      const figure = await measured(contest, field, supplies, settings)
      if (figure === undefined) continue
      earlier.set(contest.name, figure)
      yield withEarlier(figure, earlier)
    }
  },
}

const SEED = 20_261_122

/** What holds the objects of a transaction, and what keys are put into and walked. */
const CONTAINERS = 'treehook BTree; zodb PersistentMapping, OOBTree for container-… and open'

/** `undefined` when this library cannot do the task, which is said. */
async function measured(
  contest: Contest,
  field: Field,
  supplies: Supplies,
  settings: Settings,
): Promise<Figure | undefined> {
  try {
    return await hold(contest, field, supplies, settings)
  } catch (error) {
    if (!(error instanceof NotAvailableError)) throw error
    console.error(`${contest.name} is left out: ${error.message}`)
    return undefined
  }
}

/** Figures that a target compares with stand as rivals. */
function withEarlier(figure: Figure, earlier: ReadonlyMap<string, Figure>): Figure {
  const compared = (figure.targets ?? []).flatMap((target) =>
    'rival' in target && target.rival.startsWith('open-') ? [target.rival] : [],
  )
  const rivals = compared.map((name): Rival => {
    const samples = earlier.get(`shootout-${name}`)?.samples
    if (samples === undefined) return { name, what: name, samples: [], absence: 'not asked for' }
    return { name, what: name, samples }
  })
  return { ...figure, rivals: [...(figure.rivals ?? []), ...rivals] }
}

/** All who take part in a run; disposing them ends their processes. */
class Participants implements Field, AsyncDisposable {
  readonly contenders = new Map<string, Contender>()
  readonly absences = new Map<string, string>()

  static async gather(chosen: readonly Contest[], settings: Settings): Promise<Participants> {
    const field = new Participants()
    field.contenders.set('treehook', treehook).set('raw', raw)
    const needed = new Set(chosen.flatMap(({ rivals }) => rivals))
    for (const [name, start] of PEERS) {
      if (!needed.has(name)) continue
      if (settings.withPeers) await field.#start(name, start, settings)
      else field.absences.set(name, 'left out by --no-peers')
    }
    return field
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const contender of this.contenders.values()) await contender[Symbol.asyncDispose]()
  }

  async #start(name: string, start: StartPeer, { note }: Settings): Promise<void> {
    try {
      const peer = await start()
      this.contenders.set(name, peer)
      note(name, peer.versions)
    } catch (error) {
      if (!(error instanceof NotAvailableError)) throw error
      console.error(`without ${name}: ${error.message}`)
      this.absences.set(name, error.message)
      note(name, 'did not run')
    }
  }
}

type StartPeer = () => Promise<Contender & { readonly versions: string }>

const PEERS: readonly (readonly ['zodb' | 'lmdb' | 'sqlite', StartPeer])[] = [
  ['zodb', () => Zodb.start()],
  ['lmdb', lmdb],
  ['sqlite', sqlite],
]
