import './direct-declarations.js'
import { implementer } from '../component/index.js'
import { field, Persistent } from '../persistence/index.js'
import { IContained, type ILocation } from './interfaces.js'

/**
 * Base class of everything that has a place in the tree. Containers set both fields; nobody else
 * should.
 *
 * Source: `zope.container.contained.Contained`.
 * @public
 */
@implementer(IContained)
export class Contained extends Persistent implements IContained {
  @field accessor __parent__: ILocation | undefined = undefined
  @field accessor __name__: string | undefined = undefined
}
