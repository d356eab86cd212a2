import { type ComponentRegistry, currentRegistry, queryUtility } from '../component/index.js'
import { describe, registryAt } from '../content/index.js'
import type { PlaceOption } from './description.js'
import { UnknownPrincipalError } from './errors.js'
import { IAuthentication, type IPrincipal, IUnauthenticatedPrincipal } from './interfaces.js'

/** @public */
export interface FindPrincipalOptions extends PlaceOption {
  /**
   * Whether those who are unknown count as those who have not said who they are.
   * @defaultValue false
   */
  readonly fallbackToUnauthenticated?: boolean
}

/**
 * The principal of that id: from the authentications that serve the context, the nearest first, then
 * from those of the registry of this call. `undefined` when none knows it.
 *
 * With `fallbackToUnauthenticated` an unknown one is the unauthenticated principal of the first
 * authentication that has one, else the utility for `IUnauthenticatedPrincipal`.
 *
 * Source: `nti.webhooks`, "security"; there two authentications are asked, and ask others.
 * @public
 */
export function queryPrincipal(
  id: string,
  { context, fallbackToUnauthenticated = false }: FindPrincipalOptions = {},
): IPrincipal | undefined {
  const authentications = authenticationsOf(registriesAt(context))
  return (
    askAll(authentications, id) ??
    (fallbackToUnauthenticated ? unauthenticated(authentications, context) : undefined)
  )
}

/** The same, and it must be there. @throws SECURITY_UNKNOWN_PRINCIPAL @public */
export function getPrincipal(id: string, options: FindPrincipalOptions = {}): IPrincipal {
  return queryPrincipal(id, options) ?? refuse(id, options.context)
}

/** The principal that one of them knows, the first first. */
export function askAll(
  authentications: readonly IAuthentication[],
  id: string,
): IPrincipal | undefined {
  for (const authentication of authentications) {
    const principal = authentication.queryPrincipal(id)
    if (principal !== undefined) return principal
  }
  return undefined
}

/** Each once, the nearest first. Asks the tables themselves: a site's answers are seldom remembered. */
export function authenticationsOf(
  registries: readonly ComponentRegistry[],
): readonly IAuthentication[] {
  const found = new Set<IAuthentication>()
  for (const registry of registries) {
    for (const { table } of registry.chain) {
      for (const { provided, component } of table.candidates(ANY_AUTHENTICATION)) {
        if (provided?.extendsOrIs(IAuthentication)) found.add(component as IAuthentication)
      }
    }
  }
  return [...found]
}

const ANY_AUTHENTICATION = { kind: 'utility', required: [], provided: IAuthentication } as const

/** That of the context, and that of this call. */
function registriesAt(context: unknown): readonly ComponentRegistry[] {
  const current = currentRegistry()
  const near = typeof context === 'object' && context !== null ? registryAt(context) : undefined
  return near === undefined || near === current ? [current] : [near, current]
}

function unauthenticated(
  authentications: readonly IAuthentication[],
  context: unknown,
): IPrincipal | undefined {
  for (const { unauthenticatedPrincipal } of authentications) {
    if (unauthenticatedPrincipal !== undefined) return unauthenticatedPrincipal
  }
  return (
    queryUtility(IUnauthenticatedPrincipal, { context }) ?? queryUtility(IUnauthenticatedPrincipal)
  )
}

function refuse(id: string, context: unknown): never {
  const where = context === undefined ? '' : ` at ${describe(context)}`
  throw new UnknownPrincipalError(
    `No authentication${where} knows the principal ${JSON.stringify(id)}: define it in one that is registered there, or ask with queryPrincipal`,
    { details: { principal: id } },
  )
}
