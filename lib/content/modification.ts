import { type Interface, implementer } from '../component/index.js'
import { IAttributes, ISequence } from './interfaces.js'

/**
 * Fields that were changed, for `modified`.
 *
 * ```ts
 * modified(bob, new Attributes(IPerson, 'name', 'email'))
 * ```
 *
 * Source: `zope.lifecycleevent.Attributes`.
 * @public
 */
@implementer(IAttributes)
export class Attributes implements IAttributes {
  readonly interface: Interface | undefined
  readonly attributes: readonly string[]

  constructor(ofInterface: Interface | undefined, ...attributes: readonly string[]) {
    this.interface = ofInterface
    this.attributes = Object.freeze([...attributes])
  }
}

/**
 * Entries that were changed, by key or index, for `modified`.
 *
 * Source: `zope.lifecycleevent.Sequence`.
 * @public
 */
@implementer(ISequence)
export class Sequence implements ISequence {
  readonly interface: Interface | undefined
  readonly keys: readonly unknown[]

  constructor(ofInterface: Interface | undefined, ...keys: readonly unknown[]) {
    this.interface = ofInterface
    this.keys = Object.freeze([...keys])
  }
}
