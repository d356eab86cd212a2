import type { LedgerReport } from './ledger.js'

/** What the world was told of a ledger, to be held against what is found. */
export class Acknowledged {
  /** Client → its newest acknowledged transaction; -1 for all before anybody saw the ledger. */
  readonly #seqs: number[]
  /** Clients who were told that their last transaction was not written. */
  readonly #refused = new Set<number>()
  #count = 0

  constructor(clients: number) {
    this.#seqs = new Array<number>(clients).fill(-1)
  }

  copy(): Acknowledged {
    const copy = new Acknowledged(0)
    copy.#seqs.push(...this.#seqs)
    for (const client of this.#refused) copy.#refused.add(client)
    copy.#count = this.#count
    return copy
  }

  /** Acknowledged transactions so far. */
  get count(): number {
    return this.#count
  }

  /**
   * Takes a line of the writer; see `writer.ts`. What it found at first is held against what was
   * acknowledged before, and must stay from then on as well: somebody has seen it.
   * @returns what is wrong.
   */
  hear(line: string): string[] {
    const [what, ...words] = line.trimEnd().split(' ')
    if (what === 'ready') return this.#see(JSON.parse(words.join(' ')) as LedgerReport)
    const client = Number(words[0])
    if (what === 'failed') {
      if (isRefusal(line)) this.#refused.add(client)
    } else if (what === 'ack') {
      this.#seqs[client] = Number(words[1])
      this.#count++
    }
    return []
  }

  #see(report: LedgerReport): string[] {
    const wrong = this.findingsIn(report)
    for (const [client, seq] of report.seqs.entries()) this.#seqs[client] = seq
    this.#refused.clear()
    return wrong
  }

  /** What is wrong with a ledger that was found; a client nobody answered may be one ahead. */
  findingsIn({ seqs, findings }: LedgerReport): string[] {
    const wrong = [...findings]
    for (const [client, seq] of seqs.entries()) {
      const acknowledged = this.#seqs[client]!
      if (seq < acknowledged) {
        wrong.push(`lost: client ${client} has ${seq}, and ${acknowledged} was acknowledged`)
      } else if (seq > acknowledged + (this.#refused.has(client) ? 0 : 1)) {
        wrong.push(`invented: client ${client} has ${seq}, and ${acknowledged} was acknowledged`)
      }
    }
    return wrong
  }
}

/** Whether an error says that nothing was written, and not that nobody knows. */
function isRefusal(line: string): boolean {
  return !line.includes('STORAGE_OUTCOME_UNKNOWN') || line.includes('was not written')
}
