import {
  defineInterface,
  type Interface,
  type Requirable,
  type Specification,
} from '../component/index.js'
import { IContained, IContainer, IObjectModifiedEvent } from '../content/index.js'
import type { OutgoingRequest, TransportResponse } from './transport.js'

/** A kind of object whose events may become webhooks: what the recommended dispatchers listen to. @public */
export type IPossibleWebhookPayload = object
export const IPossibleWebhookPayload = defineInterface<IPossibleWebhookPayload>(
  'treehook.IPossibleWebhookPayload',
)

/** What is sent about an object. Adapt to it to send something other than the object. @public */
export type IWebhookPayload = object
export const IWebhookPayload = defineInterface<IWebhookPayload>('treehook.IWebhookPayload')

/** Has a form for other systems: plain data that JSON can hold. @public */
export interface IExternalObject {
  toExternalObject(): unknown
}
export const IExternalObject = defineInterface<IExternalObject>('treehook.IExternalObject', {
  members: ['toExternalObject'],
})

/** Tells what a resource stands for when a subscription to it names no kind. @public */
export interface IWebhookResourceDiscriminator {
  /** An interface, a class, or what an object provides. */
  forWhat(): Requirable
}
export const IWebhookResourceDiscriminator = defineInterface<IWebhookResourceDiscriminator>(
  'treehook.IWebhookResourceDiscriminator',
  { members: ['forWhat'] },
)

/** What a subscription is made of. @public */
export interface SubscriptionOptions {
  /** Where the request goes: an https URL. */
  readonly to: string
  /** The kind of object: an interface, or a class. Default what payloads provide, `IWebhookPayload`. */
  readonly for?: Requirable
  /** The kind of event; default any object event. */
  readonly when?: Interface
  /** The principal on whose behalf it is delivered. */
  readonly ownerId?: string
  /** What the owner must be allowed to do with the object. */
  readonly permissionId?: string
  /** The registered dialect; default the unnamed one. */
  readonly dialectId?: string
}

/** @public */
export interface IWebhookSubscription extends IContainer {
  readonly to: string
  readonly for: Specification
  readonly when: Interface
  readonly ownerId: string | undefined
  readonly permissionId: string | undefined
  readonly dialectId: string
  /** True while its manager finds it. */
  readonly active: boolean
  /** For people: `Active`, or why it is not. */
  readonly statusMessage: string
  /** Resolved attempts kept, and how many failures in a row suspend it. */
  readonly attemptLimit: number
  /** True when `object` is of its kind and its owner may see it. Changes nothing. */
  isApplicable(object: object): boolean
}
export const IWebhookSubscription = defineInterface<IWebhookSubscription>(
  'treehook.IWebhookSubscription',
  { extends: [IContainer], members: ['to', 'for', 'when', 'active', 'isApplicable'] },
)

/** Keeps the subscriptions of one place, and finds the active ones. @public */
export interface IWebhookSubscriptionManager extends IContainer {
  createSubscription(options: SubscriptionOptions): IWebhookSubscription
  /** Makes it be found. Idempotent. */
  activateSubscription(subscription: IWebhookSubscription): void
  /** @returns whether it was active. */
  deactivateSubscription(
    subscription: IWebhookSubscription,
    options?: { readonly reason?: string },
  ): boolean
  /** The active ones for this kind of object and event: the least specific first. */
  activeSubscriptions(object: object, event: object): readonly IWebhookSubscription[]
}
export const IWebhookSubscriptionManager = defineInterface<IWebhookSubscriptionManager>(
  'treehook.IWebhookSubscriptionManager',
  { extends: [IContainer], members: ['createSubscription', 'activeSubscriptions'] },
)

/** Set once, from `pending`. @public */
export type AttemptStatus = 'pending' | 'successful' | 'failed'

/** Why an attempt is no longer pending. @public */
export type AttemptResolution =
  | 'delivered'
  | 'refused'
  | 'exhausted'
  | 'cancelled'
  | 'invalidDestination'
  | 'notBuilt'

/** One try to deliver. @public */
export interface DeliveryTry {
  /** Ms since the epoch, just before sending. */
  readonly startedAtMs: number
  /** To the last byte of the answer, or to the failure. */
  readonly elapsedMs: number
  /** `null` when no answer came. */
  readonly statusCode: number | null
  /** What went wrong, for people; `null` when an answer came. */
  readonly error: string | null
}

/** The request, as sent. Secrets in headers and URL are left out. @public */
export interface AttemptRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly createdAtMs: number
}

/** The answer to the last try. @public */
export interface AttemptResponse {
  readonly statusCode: number
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>
  readonly content: string
  readonly elapsedMs: number
  readonly createdAtMs: number
}

/** Where an attempt comes from. Never sent. @public */
export interface AttemptOrigin {
  readonly host: string
  readonly pid: number
  readonly createdAtMs: number
  /** The note of the transaction. */
  readonly transactionNote: string
}

/** One delivery to one subscription: from the commit until it is resolved, and then its record. @public */
export interface IWebhookDeliveryAttempt extends IContained {
  readonly status: AttemptStatus
  /** `undefined` while pending. */
  readonly resolution: AttemptResolution | undefined
  /** For people: `200 OK`. */
  readonly message: string
  /** The same for every try: what the receiver knows duplicates by. */
  readonly messageId: string
  /** The bytes sent, the same for every try. */
  readonly payload: string
  readonly tries: readonly DeliveryTry[]
  /** Not sent again before this; ms since the epoch. */
  readonly dueAtMs: number
  /** `null` until the first try has ended. */
  readonly request: AttemptRequest | null
  /** `null` until an answer came. */
  readonly response: AttemptResponse | null
  readonly origin: AttemptOrigin
  /** Errors, oldest first. Never sent. */
  readonly errorHistory: readonly string[]
  readonly createdAtMs: number
}
export const IWebhookDeliveryAttempt = defineInterface<IWebhookDeliveryAttempt>(
  'treehook.IWebhookDeliveryAttempt',
  { extends: [IContained], members: ['status', 'resolution', 'tries', 'dueAtMs'] },
)

/** An attempt is no longer pending. @public */
export interface IWebhookDeliveryAttemptResolvedEvent extends IObjectModifiedEvent {
  readonly succeeded: boolean
}
export const IWebhookDeliveryAttemptResolvedEvent =
  defineInterface<IWebhookDeliveryAttemptResolvedEvent>(
    'treehook.IWebhookDeliveryAttemptResolvedEvent',
    { extends: [IObjectModifiedEvent], members: ['succeeded'] },
  )

/** @public */
export interface IWebhookDeliveryAttemptSucceededEvent
  extends IWebhookDeliveryAttemptResolvedEvent {}
export const IWebhookDeliveryAttemptSucceededEvent =
  defineInterface<IWebhookDeliveryAttemptSucceededEvent>(
    'treehook.IWebhookDeliveryAttemptSucceededEvent',
    { extends: [IWebhookDeliveryAttemptResolvedEvent] },
  )

/** @public */
export interface IWebhookDeliveryAttemptFailedEvent extends IWebhookDeliveryAttemptResolvedEvent {}
export const IWebhookDeliveryAttemptFailedEvent =
  defineInterface<IWebhookDeliveryAttemptFailedEvent>(
    'treehook.IWebhookDeliveryAttemptFailedEvent',
    { extends: [IWebhookDeliveryAttemptResolvedEvent] },
  )

/** What a dialect needs to make a request: plain data, read from persistent objects before. @public */
export interface RequestContext {
  readonly to: string
  readonly payload: string
  readonly messageId: string
  /** When this try begins; ms since the epoch. */
  readonly atMs: number
}

/** How objects become requests. A named utility; extend `DefaultDialect`. @public */
export interface IWebhookDialect {
  /** The body, made while the transaction commits. May read objects. */
  externalizeData(object: object, event: object): string
  /** The request of one try. Reads no persistent object: its transaction is over. */
  prepareRequest(context: RequestContext): OutgoingRequest
}
export const IWebhookDialect = defineInterface<IWebhookDialect>('treehook.IWebhookDialect', {
  members: ['externalizeData', 'prepareRequest'],
})

/** What is needed to send, copied out of persistent objects. @public */
export interface Shipment {
  /** The attempt's oid. */
  readonly attempt: number
  /** The subscription's oid: the endpoint, with its own share and order. */
  readonly endpoint: string
  readonly to: string
  readonly payload: string
  readonly messageId: string
  readonly dialect: IWebhookDialect
  /** Tries made so far. */
  readonly tries: number
  readonly dueAtMs: number
  /** While this is the current one, what the shipment was made from still stands. */
  readonly standing: number
}

/** How one try ended. @public */
export interface TryResult {
  readonly shipment: Shipment
  /** Absent when the dialect could not make it. */
  readonly request?: OutgoingRequest
  readonly startedAtMs: number
  readonly elapsedMs: number
  readonly response?: TransportResponse
  readonly error?: unknown
}

/** Sends what commits have recorded, and records how that went. @public */
export interface IWebhookDeliveryManager {
  /** True: a payload that cannot be built fails its transaction. False: only its attempt. */
  readonly strict: boolean
  /** Takes shipments of a durable commit. Never throws, never waits. */
  acceptForDelivery(shipments: readonly Shipment[]): void
}
export const IWebhookDeliveryManager = defineInterface<IWebhookDeliveryManager>(
  'treehook.IWebhookDeliveryManager',
  { members: ['acceptForDelivery'] },
)
