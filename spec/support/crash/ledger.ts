/**
 * A bookkeeping whose every transaction says what must be true after it, so that a stranger who
 * opens the database after a crash can tell a whole commit from half of one.
 *
 * Each client commits its transactions 1, 2, 3, … one after another, many clients at a time. What
 * transaction `seq` of a client writes follows from (seed, client, seq) alone:
 *
 * - its desk and the desk's pages: all name `seq`, hold the text that follows from it, and were
 *   written by one commit,
 * - an entry in the journal, a tree that all clients share, under a rising key; the entry before the
 *   last `ENTRIES_KEPT` is taken out,
 * - two of the accounts that all clients share: an amount goes from one to the other, and the desk
 *   adds up what its client moved.
 */
import {
  BTree,
  field,
  isPersistent,
  type ObjectDatabase,
  oidOf,
  Persistent,
  serialOf,
  stored,
  type TransactionContext,
} from '../../../lib/persistence/index.js'
import { Random } from './random.js'

const ACCOUNTS = 8
const PAGES = 3
const ENTRIES_KEPT = 40
const OPENING_BALANCE = 1_000_000
/** Clients meet at the accounts: somebody wins each time. */
const TRIES = 1_000

@stored('crash.Page')
class Page extends Persistent {
  @field accessor seq = 0
  @field accessor text = ''
}

@stored('crash.Desk')
class Desk extends Persistent {
  @field accessor seq = 0
  /** Account → what this client moved there. */
  @field accessor moved: number[] = new Array<number>(ACCOUNTS).fill(0)
  @field accessor pages: Page[] = Array.from({ length: PAGES }, () => new Page())
}

@stored('crash.Account')
class Account extends Persistent {
  @field accessor balance = OPENING_BALANCE
}

@stored('crash.Entry')
class Entry extends Persistent {
  @field accessor seq = 0
  @field accessor text = ''
}

/** What a stranger finds. */
export interface LedgerReport {
  /** Client → its newest transaction; -1 for all before the ledger was made. */
  readonly seqs: readonly number[]
  /** What is wrong, in words; empty when all is well. */
  readonly findings: readonly string[]
}

export interface LedgerOptions {
  readonly seed: number
  readonly clients: number
}

export class Ledger {
  readonly #db: ObjectDatabase
  readonly #seed: number
  readonly #clients: number

  constructor(db: ObjectDatabase, { seed, clients }: LedgerOptions) {
    this.#db = db
    this.#seed = seed
    this.#clients = clients
  }

  /** Makes the ledger, in one transaction, where there is none. */
  async make(): Promise<void> {
    await this.#db.transaction(({ rootMapping }) => {
      if (rootMapping.has('journal')) return
      rootMapping.set('journal', new BTree())
      for (let i = 0; i < ACCOUNTS; i++) rootMapping.set(`account ${i}`, new Account())
      for (let i = 0; i < this.#clients; i++) rootMapping.set(`desk ${i}`, new Desk())
    })
  }

  /** Commits the next transaction of a client, who has no other under way. */
  transact(client: number): Promise<number> {
    return this.#db.transaction((context) => this.#write(context, client), { tries: TRIES })
  }

  /** A transaction that writes nonsense over everything and aborts. */
  async spoil(client: number): Promise<void> {
    const spoiled = new Error('spoiled')
    try {
      await this.#db.transaction((context) => {
        this.#write(context, client)
        deskOf(context, client).pages[0]!.text = 'spoiled'
        accountOf(context, 0).balance = Number.NaN
        journalOf(context).clear()
        throw spoiled
      })
    } catch (error) {
      if (error !== spoiled) throw error
    }
  }

  /** @throws what reading throws, when the database is damaged. */
  check(): Promise<LedgerReport> {
    return this.#db.view((context) => {
      if (!context.rootMapping.has('journal')) {
        const findings = context.rootMapping.size === 0 ? [] : ['a root without a journal']
        return { seqs: new Array<number>(this.#clients).fill(-1), findings }
      }
      return new LedgerCheck(context, this.#seed, this.#clients).report()
    })
  }

  #write(context: TransactionContext, client: number): number {
    const desk = deskOf(context, client)
    const seq = desk.seq + 1
    const { texts, from, to, amount } = deedOf(this.#seed, client, seq)
    desk.seq = seq
    desk.moved[from]! -= amount
    desk.moved[to]! += amount
    desk.pages.forEach((page, i) => {
      page.seq = seq
      page.text = texts[i]!
    })
    accountOf(context, from).balance -= amount
    accountOf(context, to).balance += amount
    const entry = new Entry()
    entry.seq = seq
    entry.text = texts[PAGES]!
    journalOf(context).set(keyOf(client, seq), entry)
    if (seq > ENTRIES_KEPT) journalOf(context).delete(keyOf(client, seq - ENTRIES_KEPT))
    return seq
  }
}

class LedgerCheck {
  readonly #context: TransactionContext
  readonly #seed: number
  readonly #clients: number
  readonly #findings: string[] = []

  constructor(context: TransactionContext, seed: number, clients: number) {
    this.#context = context
    this.#seed = seed
    this.#clients = clients
  }

  report(): LedgerReport {
    const seqs = Array.from({ length: this.#clients }, (_, client) => this.#desk(client))
    this.#journal(seqs)
    this.#accounts()
    return { seqs, findings: this.#findings }
  }

  /** @returns the client's newest transaction. */
  #desk(client: number): number {
    const desk = deskOf(this.#context, client)
    const { seq } = desk
    const tid = serialOf(desk)
    const { texts } = deedOf(this.#seed, client, seq)
    desk.pages.forEach((page, i) => {
      const name = `page ${i} of client ${client}`
      this.#equal(`${name}: seq`, page.seq, seq)
      this.#equal(`${name}: serial`, serialOf(page), tid)
      if (seq > 0) this.#equal(`${name}: text`, page.text, texts[i]!)
    })
    if (seq > 0) {
      const last = journalOf(this.#context).get(keyOf(client, seq))
      this.#equal(`the newest entry of client ${client}: serial`, last && serialOf(last), tid)
    }
    return seq
  }

  /** The keys there must be, in order, each found by looking it up as well. */
  #journal(seqs: readonly number[]): void {
    const journal = journalOf(this.#context)
    const expected = seqs.flatMap((seq, client) =>
      Array.from({ length: Math.min(seq, ENTRIES_KEPT) }, (_, i) => ({ client, seq: seq - i })),
    )
    const keys = expected.map(({ client, seq }) => keyOf(client, seq)).sort()
    this.#equal('keys of the journal', [...journal.keys()].join(), keys.join())
    this.#equal(
      'its keys backwards',
      [...journal.keys({ reverse: true })].reverse().join(),
      keys.join(),
    )
    this.#equal('its size', journal.size, keys.length)
    for (const { client, seq } of expected) {
      const entry = journal.get(keyOf(client, seq))
      this.#equal(`entry ${seq} of client ${client}: seq`, entry?.seq, seq)
      const text = deedOf(this.#seed, client, seq).texts[PAGES]!
      this.#equal(`entry ${seq} of client ${client}: text`, entry?.text, text)
    }
  }

  #accounts(): void {
    const moved = Array.from({ length: this.#clients }, (_, i) => deskOf(this.#context, i).moved)
    for (let i = 0; i < ACCOUNTS; i++) {
      const balance = moved.reduce((sum, one) => sum + one[i]!, OPENING_BALANCE)
      this.#equal(`balance of account ${i}`, accountOf(this.#context, i).balance, balance)
    }
  }

  #equal<T extends number | string>(name: string, found: T | undefined, expected: T): void {
    if (found !== expected)
      this.#findings.push(`${name} is ${brief(found)}, not ${brief(expected)}`)
  }
}

/** All that an object of the ledger says, as text. */
export function contentOf(object: Persistent): string {
  if (object instanceof BTree)
    return JSON.stringify([...object].map(([key, it]) => [key, nameOf(it)]))
  if (object instanceof Account) return `balance ${object.balance}`
  if (object instanceof Desk) {
    return JSON.stringify([object.seq, object.moved, object.pages.map(nameOf)])
  }
  return `${(object as Page | Entry).seq} ${(object as Page | Entry).text}`
}

/** The objects of the ledger that are reached from here, this one included. */
export function* reachedFrom(object: Persistent): Generator<Persistent> {
  yield object
  if (object instanceof BTree)
    for (const one of object.values()) yield* reachedFrom(one as Persistent)
  if (object instanceof Desk) yield* object.pages
}

function nameOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && isPersistent(value) ? oidOf(value) : value
}

function brief(value: unknown): string {
  const text = String(value)
  return text.length <= 60 ? text : `${text.slice(0, 60)}… (${text.length})`
}

interface Deed {
  readonly from: number
  readonly to: number
  readonly amount: number
  /** Of the pages, then of the entry. */
  readonly texts: readonly string[]
}

function deedOf(seed: number, client: number, seq: number): Deed {
  const random = new Random(seed, client, seq)
  const from = random.below(ACCOUNTS)
  return {
    from,
    to: (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS,
    amount: 1 + random.below(1000),
    texts: Array.from({ length: PAGES + 1 }, () => textOf(random)),
  }
}

/** Mostly short; now and then longer than a block of LevelDB's log, rarely longer than its buffer. */
function textOf(random: Random): string {
  const bytes = random.oneIn(150) ? 100_000 : random.oneIn(20) ? 8_000 : 120
  const word = random.below(2 ** 31).toString(36)
  return `${word} `.repeat(Math.ceil((random.next() * bytes) / word.length) + 1)
}

const keyOf = (client: number, seq: number): string => `${client}/${String(seq).padStart(9, '0')}`

const deskOf = ({ rootMapping }: TransactionContext, client: number): Desk =>
  rootMapping.get(`desk ${client}`) as Desk

const accountOf = ({ rootMapping }: TransactionContext, i: number): Account =>
  rootMapping.get(`account ${i}`) as Account

const journalOf = ({ rootMapping }: TransactionContext): BTree<string, Entry> =>
  rootMapping.get('journal') as BTree<string, Entry>
