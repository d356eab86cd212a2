import { type ContextOption, queryUtility } from '../component/index.js'
import { AsyncScope } from '../foundation/index.js'
import { InvalidParticipationError, NoInteractionError } from './errors.js'
import { assertId } from './ids.js'
import { type IPrincipal, ISecurityPolicy, type Participation } from './interfaces.js'
import { PERMISSION_PUBLIC } from './permission.js'
import { lineagePolicy } from './policy.js'
import { systemPrincipal } from './principal.js'

/**
 * Who takes part in what is being done: all of them must be allowed to do it. One without anybody, and
 * the system itself, may do everything.
 *
 * Source: `zope.security.interfaces.IInteraction`.
 * @public
 */
export class Interaction {
  readonly #participations: Participation[] = []
  readonly #policy: ISecurityPolicy

  /**
   * @param context - whose policy decides: that registered there, else {@link lineagePolicy}. Absent:
   *   that of this call.
   * @throws SECURITY_INVALID_ID, SECURITY_INVALID_PARTICIPATION
   */
  constructor(participants: Participants = [], { context }: ContextOption = {}) {
    this.#policy = queryUtility(ISecurityPolicy, { context }) ?? lineagePolicy
    for (const one of asArray(participants)) this.add(one)
  }

  get participations(): readonly Participation[] {
    return [...this.#participations]
  }

  /**
   * From now on this principal takes part as well.
   * @returns the participation, which `remove` takes.
   * @throws SECURITY_INVALID_PARTICIPATION when it takes part in an interaction already;
   *   SECURITY_INVALID_ID.
   */
  add(participant: IPrincipal | Participation): Participation {
    const participation = asParticipation(participant)
    assertId(participation.principal.id, 'a principal')
    if (taken.has(participation)) {
      throw new InvalidParticipationError(
        `This participation of ${participation.principal.id} belongs to an interaction already; give the principal itself to take part in another`,
      )
    }
    taken.set(participation, this)
    this.#participations.push(participation)
    return participation
  }

  /** @throws SECURITY_INVALID_PARTICIPATION when it takes no part in this interaction. */
  remove(participation: Participation): void {
    const index = this.#participations.indexOf(participation)
    if (index === -1) {
      throw new InvalidParticipationError(
        `This participation of ${participation.principal.id} does not belong to this interaction; remove what \`add\` gave`,
      )
    }
    taken.delete(participation)
    this.#participations.splice(index, 1)
  }

  /** Calls `fn`, which must be synchronous, with one more participant. */
  with<R>(principal: IPrincipal, fn: () => R): R {
    const participation = this.add(principal)
    try {
      return fn()
    } finally {
      this.remove(participation)
    }
  }

  /** Whether all who take part have the permission. @throws SECURITY_UNKNOWN_PERMISSION */
  isAllowed(permissionId: string, object: object): boolean {
    if (permissionId === PERMISSION_PUBLIC) return true
    const participations = this.#participations
    for (let index = 0; index < participations.length; index++) {
      const { principal } = participations[index] as Participation
      if (principal === systemPrincipal) continue
      if (!this.#policy.isAllowed(principal, permissionId, object)) return false
    }
    return true
  }
}

/** Who takes part: nobody, one or more. @public */
export type Participants = IPrincipal | Participation | readonly (IPrincipal | Participation)[]

/** Which interaction a participation is in. */
const taken = new WeakMap<Participation, Interaction>()

const scope = new AsyncScope<Interaction>()

/**
 * Calls `fn` as done by these principals, until its promise settles: `checkPermission` and
 * `requirePermission` inside it ask about them. Inside another interaction it takes that one's place.
 *
 * ```ts
 * await runInInteraction(getPrincipal('bob'), () => db.transaction(({ root }) => { … }))
 * ```
 * @throws SECURITY_INVALID_ID, SECURITY_INVALID_PARTICIPATION
 * @see `zope.security.management.newInteraction`, which is bound to a thread
 * @public
 */
export function runInInteraction<R>(who: Participants | Interaction, fn: () => R): R {
  const interaction = who instanceof Interaction ? who : new Interaction(who)
  return scope.run(interaction, fn)
}

/** The interaction of this call; `undefined` outside `runInInteraction`. @public */
export function currentInteraction(): Interaction | undefined {
  return scope.current()
}

/** The same, and there must be one. @throws SECURITY_NO_INTERACTION @public */
export function getInteraction(): Interaction {
  return scope.current() ?? refuse()
}

function refuse(): never {
  throw new NoInteractionError(
    'Nobody is known to act here; call this inside runInInteraction(principal, fn)',
  )
}

function asArray(participants: Participants): readonly (IPrincipal | Participation)[] {
  return Array.isArray(participants) ? participants : [participants as IPrincipal | Participation]
}

function asParticipation(participant: IPrincipal | Participation): Participation {
  return 'principal' in participant ? participant : { principal: participant }
}
