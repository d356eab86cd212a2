import { defineError, type ErrorClass } from '../foundation/index.js'

/** The target is no URL that a webhook can be sent to. @public */
export class InvalidTargetError extends defineError(
  'InvalidTargetError',
  'WEBHOOK_INVALID_TARGET',
) {}

/** A limit, a range or a ladder that was configured cannot be used. @public */
export class InvalidSettingError extends defineError(
  'InvalidSettingError',
  'WEBHOOK_INVALID_SETTING',
) {}

/**
 * The policy forbids sending there: not https, or an address that is not a public one. Nothing
 * reached the destination.
 * @public
 */
export class DestinationRefusedError extends defineError(
  'DestinationRefusedError',
  'WEBHOOK_DESTINATION_REFUSED',
) {
  /** The scheme is not https. nti.webhooks's message, verbatim. */
  static insecure(host: string): DestinationRefusedError {
    return new DestinationRefusedError('Refusing to deliver to insecure destination', {
      details: { host },
    })
  }

  /**
   * @param host - as in the target's URL, without port and credentials.
   * @param address - the one of the host's addresses that is refused.
   * @param reason - what the address is, in words: `private (10.0.0.0/8)`.
   */
  static forbidden({
    host,
    address,
    reason,
  }: {
    readonly host: string
    readonly address: string
    readonly reason: string
  }): DestinationRefusedError {
    const where = host === address ? address : `${host}, which is at ${address}`
    return new DestinationRefusedError(
      `Refusing to deliver to ${where}: this address is ${reason}. ` +
        "The operator can permit it in the allow-list of this database's destination policy.",
      { details: { host, address, reason } },
    )
  }
}

/**
 * What a delivery failed at:
 *
 * - `dns`: the host has no address, or none was told in time
 * - `connection`: refused, reset or closed before the answer was complete
 * - `tls`: no handshake, or a certificate that is not trusted for this host
 * - `timeout`: no answer within the deadline
 * - `protocol`: an answer that is not HTTP/1.1
 * - `tooLarge`: more headers than are accepted
 * - `request`: the request cannot be written, for example a line break in a header
 * - `aborted`: the caller gave it up, or the transport was closed
 *
 * @public
 */
export type DeliveryFailureKind =
  | 'dns'
  | 'connection'
  | 'tls'
  | 'timeout'
  | 'protocol'
  | 'tooLarge'
  | 'request'
  | 'aborted'

/** No complete status and headers came back. The request may or may not have arrived. @public */
export class DeliveryFailedError extends defineError(
  'DeliveryFailedError',
  'WEBHOOK_DELIVERY_FAILED',
  { retryable: true },
) {
  readonly kind: DeliveryFailureKind

  private constructor(
    message: string,
    kind: DeliveryFailureKind,
    options: { readonly cause?: unknown; readonly details: Record<string, unknown> },
  ) {
    super(message, options)
    this.kind = kind
  }

  /**
   * @param host - without credentials; with the port where it is known.
   * @param reason - what happened, in words.
   */
  static because({
    kind,
    host,
    reason,
    cause,
  }: {
    readonly kind: DeliveryFailureKind
    readonly host: string
    readonly reason: string
    readonly cause?: unknown
  }): DeliveryFailedError {
    return new DeliveryFailedError(`Delivery to ${host} failed: ${reason}`, kind, {
      cause,
      details: { kind, host },
    })
  }
}

/** `when` is no interface that extends IObjectEvent. @public */
export class InvalidTriggerError extends defineError(
  'InvalidTriggerError',
  'WEBHOOK_INVALID_TRIGGER',
) {}

/** The owner or the permission of a subscription cannot be used. @public */
export class InvalidOwnerError extends defineError('InvalidOwnerError', 'WEBHOOK_INVALID_OWNER') {}

/** No dialect of that name is registered where the subscription is. @public */
export class UnknownDialectError extends defineError(
  'UnknownDialectError',
  'WEBHOOK_UNKNOWN_DIALECT',
) {}

/** A resolved attempt was to be changed. @public */
export class AttemptResolvedError extends defineError(
  'AttemptResolvedError',
  'WEBHOOK_ATTEMPT_RESOLVED',
) {}

/** The resource, subscription or attempt is not where it must be. @public */
export class NotContainedError extends defineError('NotContainedError', 'WEBHOOK_NOT_CONTAINED') {}

/** An object could not be made into a payload. @public */
export class PayloadFailedError extends defineError(
  'PayloadFailedError',
  'WEBHOOK_PAYLOAD_FAILED',
) {}

/** Every class of this layer's error table. @internal */
export const webhookErrors: readonly ErrorClass[] = [
  InvalidTargetError,
  InvalidSettingError,
  DestinationRefusedError,
  DeliveryFailedError as unknown as ErrorClass,
  InvalidTriggerError,
  InvalidOwnerError,
  UnknownDialectError,
  AttemptResolvedError,
  NotContainedError,
  PayloadFailedError,
]
