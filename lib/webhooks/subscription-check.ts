import type { Interface, Specification } from '../component/index.js'
import { IObjectEvent, queryUtility, specificationOf } from '../component/index.js'
import { toStoredSpecification } from '../content/index.js'
import {
  InvalidOwnerError,
  InvalidTargetError,
  InvalidTriggerError,
  UnknownDialectError,
} from './errors.js'
import { IWebhookDialect, IWebhookPayload, type SubscriptionOptions } from './interfaces.js'

/** Options that can become a subscription, with their defaults. */
export interface CheckedSubscription {
  readonly to: string
  readonly for: Specification
  readonly when: Interface
  readonly ownerId: string | undefined
  readonly permissionId: string | undefined
  readonly dialectId: string
}

/**
 * Checks everything before anything is made.
 * @param context - whose place decides which dialects there are.
 * @throws WEBHOOK_INVALID_TARGET, WEBHOOK_INVALID_TRIGGER, WEBHOOK_INVALID_OWNER,
 *   WEBHOOK_UNKNOWN_DIALECT, COMPONENT_INVALID_REGISTRATION
 * @see `nti.webhooks._schema`
 */
export function checkSubscription(
  options: SubscriptionOptions,
  context: object,
): CheckedSubscription {
  const checked: CheckedSubscription = {
    to: checkTarget(options.to),
    for: specificationOf(options.for === undefined ? IWebhookPayload : options.for),
    when: checkTrigger(options.when === undefined ? IObjectEvent : options.when),
    ownerId: options.ownerId === '' ? undefined : options.ownerId,
    permissionId: options.permissionId,
    dialectId: options.dialectId ?? '',
  }
  toStoredSpecification(checked.for)
  checkOwner(checked)
  checkDialect(checked.dialectId, context)
  return checked
}

function checkTarget(to: unknown): string {
  if (typeof to !== 'string' || !/^[a-z][a-z+.-]*:\/\/[^\s\\]+$/i.test(to) || !URL.canParse(to)) {
    throw new InvalidTargetError(
      `A subscription needs \`to\`, an absolute https URL without spaces, such as https://example.com/hook; it was given ${typeof to === 'string' ? 'other text' : typeof to}`,
    )
  }
  const { protocol, host } = new URL(to)
  if (protocol !== 'https:') {
    throw new InvalidTargetError(
      `A subscription to ${host} must be sent over https; its URL begins with ${protocol}`,
    )
  }
  return to
}

function checkTrigger(when: unknown): Interface {
  const isInterface =
    typeof when === 'object' && when !== null && (when as Specification).kind === 'interface'
  if (!isInterface) {
    throw new InvalidTriggerError(
      `\`when\` is an interface of events, such as IObjectModifiedEvent, not ${typeof when === 'function' ? `the class ${when.name}` : String(when)}`,
    )
  }
  const trigger = when as Interface
  if (!trigger.extendsOrIs(IObjectEvent)) {
    throw new InvalidTriggerError(
      `\`when\` is an interface that extends IObjectEvent; ${trigger.name} does not`,
    )
  }
  return trigger
}

function checkOwner({ ownerId, permissionId }: CheckedSubscription): void {
  if (ownerId !== undefined && /\s/.test(ownerId)) {
    throw new InvalidOwnerError('Whitespace is not allowed in an ID')
  }
  if (ownerId !== undefined || permissionId !== undefined) {
    throw new InvalidOwnerError(
      'Deliveries do not ask for owners and permissions in this version: a subscription with one would ' +
        'never be delivered. Leave out ownerId and permissionId.',
    )
  }
}

function checkDialect(dialectId: string, context: object): void {
  if (queryUtility(IWebhookDialect, { name: dialectId, context }) === undefined) {
    throw new UnknownDialectError(
      `No dialect named ${JSON.stringify(dialectId)} is registered where the subscription would be; register it ` +
        'as a utility for IWebhookDialect, or leave out dialectId',
    )
  }
}
