import { queryAdapter, queryMultiAdapter } from '../component/index.js'
import { registryAt } from '../content/index.js'
import { IWebhookPayload } from './interfaces.js'

/**
 * What stands for an event's object in the request: the first of
 *
 * 1. the adapter of (object, event) to `IWebhookPayload` named as the externalizer, then the unnamed
 * 2. the object itself, when it provides `IWebhookPayload`
 * 3. the adapter of the object so named, then the unnamed
 * 4. the object itself
 *
 * Adapters are looked up where the object is. One that returns `undefined` passes on.
 * @see `nti.webhooks.dialect.DefaultWebhookDialect.produce_payload`
 * @public
 */
export function payloadFor(object: object, event: object, name: string): unknown {
  const context = registryAt(object) ?? object
  const named = { name, context }
  const unnamed = { context }
  return (
    queryMultiAdapter([object, event], IWebhookPayload, named) ??
    queryMultiAdapter([object, event], IWebhookPayload, unnamed) ??
    (IWebhookPayload.providedBy(object) ? object : undefined) ??
    queryAdapter(object, IWebhookPayload, named) ??
    queryAdapter(object, IWebhookPayload, unnamed) ??
    object
  )
}
