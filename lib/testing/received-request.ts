/** A request as a receiver got it. @public */
export interface ReceivedRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** By lower-case name; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** As UTF-8 text. */
  readonly body: string
  /** When it was complete; ms since the epoch. */
  readonly atMs: number
}

/** What a receiver answers. @public */
export interface ReceiverAnswer {
  /** Default 200. */
  readonly statusCode?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** How long it waits before it answers. Default 0. */
  readonly delayMs?: number
  /**
   * Misbehaviour instead of an answer: `silent` never answers, `drip` sends headers and then a byte
   * every 50 ms without end, `reset` breaks the connection.
   */
  readonly fault?: 'silent' | 'drip' | 'reset'
}
