import { implementer, notify } from '../component/index.js'
import { ObjectRemovedEvent } from '../content/index.js'
import { DuplicatePrincipalError, UnknownPrincipalError } from './errors.js'
import { IAuthentication, type IPrincipal } from './interfaces.js'
import {
  GroupInfo,
  PrincipalInfo,
  type PrincipalOptions,
  systemPrincipal,
  UnauthenticatedPrincipalInfo,
} from './principal.js'

/**
 * Principals in memory: those that the program defines in each run, such as services and the groups
 * that come with the application. A utility; `Database.open` makes one.
 *
 * Source: `zope.principalregistry.principalregistry.PrincipalRegistry`, without logins.
 * @public
 */
@implementer(IAuthentication)
export class PrincipalRegistry implements IAuthentication {
  readonly #principals = new Map<string, PrincipalInfo>([[systemPrincipal.id, systemPrincipal]])
  #unauthenticated: UnauthenticatedPrincipalInfo | undefined
  #stamp = 0

  get stamp(): number {
    return this.#stamp
  }

  /** @throws SECURITY_DUPLICATE_PRINCIPAL, SECURITY_INVALID_ID */
  define(id: string, options: PrincipalOptions = {}): PrincipalInfo {
    return this.#add(new PrincipalInfo(id, options))
  }

  /** @throws SECURITY_DUPLICATE_PRINCIPAL, SECURITY_INVALID_ID */
  defineGroup(id: string, options: PrincipalOptions = {}): GroupInfo {
    return this.#add(new GroupInfo(id, options))
  }

  /**
   * Says who those are that have not said who they are, in place of who it was.
   * @throws SECURITY_DUPLICATE_PRINCIPAL, SECURITY_INVALID_ID
   */
  defineUnauthenticated(id: string, options: PrincipalOptions = {}): UnauthenticatedPrincipalInfo {
    const principal = new UnauthenticatedPrincipalInfo(id, options)
    if (id !== this.#unauthenticated?.id) this.#assertFree(id)
    if (this.#unauthenticated !== undefined) this.#principals.delete(this.#unauthenticated.id)
    this.#unauthenticated = this.#add(principal)
    return principal
  }

  /** From now on the principal is in these groups. @throws SECURITY_UNKNOWN_PRINCIPAL, SECURITY_INVALID_ID */
  setGroups(id: string, groups: readonly string[]): void {
    const principal = this.#known(id)
    const Info = principal.constructor as typeof PrincipalInfo
    const changed = new Info(id, { ...principal, groups })
    this.#principals.set(id, changed)
    if (this.#unauthenticated?.id === id) this.#unauthenticated = changed
    this.#stamp++
  }

  /**
   * Forgets the principal, and notifies that it was removed. Its grants stay: see `removeGrants`.
   * @returns false when there was none.
   */
  remove(id: string): boolean {
    const principal = this.#principals.get(id)
    if (principal === undefined || principal === systemPrincipal) return false
    this.#principals.delete(id)
    if (this.#unauthenticated === principal) this.#unauthenticated = undefined
    this.#stamp++
    notify(new ObjectRemovedEvent(principal, { parent: this, name: id }))
    return true
  }

  queryPrincipal(id: string): IPrincipal | undefined {
    return this.#principals.get(id)
  }

  get unauthenticatedPrincipal(): IPrincipal | undefined {
    return this.#unauthenticated
  }

  /** All of them, in the order in which they were defined. */
  [Symbol.iterator](): Iterator<IPrincipal> {
    return this.#principals.values()
  }

  #add<P extends PrincipalInfo>(principal: P): P {
    this.#assertFree(principal.id)
    this.#principals.set(principal.id, principal)
    this.#stamp++
    return principal
  }

  #assertFree(id: string): void {
    if (!this.#principals.has(id)) return
    throw new DuplicatePrincipalError(
      `There is a principal ${JSON.stringify(id)} already; remove it first, or choose another id`,
      { details: { principal: id } },
    )
  }

  #known(id: string): PrincipalInfo {
    const principal = this.#principals.get(id)
    if (principal !== undefined && principal !== systemPrincipal) return principal
    throw new UnknownPrincipalError(
      `No principal ${JSON.stringify(id)} is defined here; define it first`,
      { details: { principal: id } },
    )
  }
}
