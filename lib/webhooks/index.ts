export { activeSubscriptionsFor } from './active-subscriptions.js'
export {
  AttemptFailedEvent,
  AttemptResolvedEvent,
  AttemptSucceededEvent,
  WebhookDeliveryAttempt,
} from './attempt.js'
export { aDispatchSet, configureWebhooks, type DispatchSet } from './configure.js'
export { connectionAbove } from './connection-above.js'
export { DeliveryManager, type DeliveryOptions, deliveryOptionRules } from './delivery-manager.js'
export type { DestinationPolicy } from './destination-judge.js'
export { DestinationValidator, type DestinationValidatorOptions } from './destination-validator.js'
export { DefaultDialect } from './dialect.js'
export { dispatchWebhookEvent, subscriptionsToDeliver } from './dispatch.js'
export {
  AttemptResolvedError,
  DeliveryFailedError,
  type DeliveryFailureKind,
  DestinationRefusedError,
  InvalidOwnerError,
  InvalidSettingError,
  InvalidTargetError,
  InvalidTriggerError,
  NotContainedError,
  PayloadFailedError,
  UnknownDialectError,
  webhookErrors,
} from './errors.js'
export { externalize } from './externalize.js'
export { TOO_MANY_FAILURES } from './history-limit.js'
export { HttpTransport, type HttpTransportOptions } from './http-transport.js'
export {
  type AttemptOrigin,
  type AttemptRequest,
  type AttemptResolution,
  type AttemptResponse,
  type AttemptStatus,
  type DeliveryTry,
  IExternalObject,
  IPossibleWebhookPayload,
  IWebhookDeliveryAttempt,
  IWebhookDeliveryAttemptFailedEvent,
  IWebhookDeliveryAttemptResolvedEvent,
  IWebhookDeliveryAttemptSucceededEvent,
  IWebhookDeliveryManager,
  IWebhookDialect,
  IWebhookPayload,
  IWebhookResourceDiscriminator,
  IWebhookSubscription,
  IWebhookSubscriptionManager,
  type RequestContext,
  type Shipment,
  type SubscriptionOptions,
  type TryResult,
} from './interfaces.js'
export { installOutbox, OUTBOX_KEY, outboxOf } from './outbox.js'
export { payloadFor } from './payload.js'
export { DEFAULT_LADDER_MS, RetryPolicy, type RetryPolicyOptions } from './retry-policy.js'
export {
  DEFAULT_UTILITY_NAME,
  type ResourceSubscriptionOptions,
  subscribeToResource,
} from './subscribe.js'
export { ACTIVE_MESSAGE, PersistentSubscription } from './subscription.js'
export { WebhookSubscriptionManager } from './subscription-manager.js'
export type { OutgoingRequest, SendOptions, Transport, TransportResponse } from './transport.js'
