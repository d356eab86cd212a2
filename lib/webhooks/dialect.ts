import { implementer } from '../component/index.js'
import { registryAt } from '../content/index.js'
import { VERSION } from '../version.js'
import { externalize } from './externalize.js'
import { IWebhookDialect, type RequestContext } from './interfaces.js'
import { payloadFor } from './payload.js'
import type { OutgoingRequest } from './transport.js'

/**
 * JSON by POST, with the headers of Standard Webhooks that need no secret. Extend it to send
 * something else, and register the result as a named utility for `IWebhookDialect`.
 *
 * Source: `nti.webhooks.dialect.DefaultWebhookDialect`.
 * @public
 */
@implementer(IWebhookDialect)
export class DefaultDialect implements IWebhookDialect {
  /** Adapters of this name come before unnamed ones. */
  readonly externalizerName: string = 'webhook-delivery'
  readonly contentType: string = 'application/json'
  readonly userAgent: string = `treehook/${VERSION}`
  readonly httpMethod: string = 'POST'

  externalizeData(object: object, event: object): string {
    const payload = payloadFor(object, event, this.externalizerName)
    const context = registryAt(object) ?? object
    return JSON.stringify(externalize(payload, this.externalizerName, context)) ?? 'null'
  }

  prepareRequest(context: RequestContext): OutgoingRequest {
    return {
      url: context.to,
      method: this.httpMethod,
      headers: this.produceHeaders(context),
      body: context.payload,
    }
  }

  /** For subclasses: what to send beside the body. */
  produceHeaders({ messageId, atMs }: RequestContext): Record<string, string> {
    return {
      'Content-Type': this.contentType,
      'User-Agent': this.userAgent,
      'webhook-id': messageId,
      'webhook-timestamp': String(Math.floor(atMs / 1000)),
    }
  }
}
