/** A request, complete and ready to be written. Plain data. @public */
export interface OutgoingRequest {
  /** Absolute, https. Credentials in it are sent as Basic authorization. */
  readonly url: string
  /** `POST`, as a rule. */
  readonly method: string
  /** By name. Framing headers (`host`, `content-length`, …) belong to the transport. */
  readonly headers: Readonly<Record<string, string>>
  /** Sent byte for byte; text as UTF-8. */
  readonly body: string | Uint8Array
}

/** What came back. Plain data. @public */
export interface TransportResponse {
  readonly statusCode: number
  /** The reason phrase; empty when the receiver gave none. */
  readonly reason: string
  /** By lower-case name; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as text, as far as it was kept; undecodable bytes are replaced. */
  readonly content: string
  /** True when `content` is not the whole body: too long, too slow or not decodable. */
  readonly contentTruncated: boolean
  /** From the call of `send` to the end of the response. */
  readonly elapsedMs: number
  /** The IP address that answered. */
  readonly remoteAddress: string
}

/** @public */
export interface SendOptions {
  /** Ends the request: its connection is destroyed. */
  readonly signal?: AbortSignal
}

/**
 * Carries one request to its receiver and the answer back. An answer of any status is a result, not
 * an error.
 * @public
 */
export interface Transport {
  /**
   * @throws WEBHOOK_DESTINATION_REFUSED when policy forbids the destination; nothing was sent.
   * @throws WEBHOOK_DELIVERY_FAILED when no answer came; its `kind` says why.
   */
  send(request: OutgoingRequest, options?: SendOptions): Promise<TransportResponse>
  /** Ends what is under way (it fails with kind `aborted`) and gives up all connections. */
  close(): Promise<void>
}
