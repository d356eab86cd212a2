import { type PersistentClass, storedNameOf } from '../persistence/index.js'
import { Container } from './container.js'
import { IRoot, ISite } from './interfaces.js'
import { nameOf } from './location.js'

/** @public */
export interface PrintTreeOptions {
  /** Levels below the object; default all. */
  readonly depth?: number
  /** Show site managers too. Default false. */
  readonly siteManagers?: boolean
}

/**
 * The tree below an object as text, a line for each, for people and doctests:
 *
 * ```
 * <IRoot>: /
 *     <ISite>: NOAA
 *         employees
 *             Bob => <Employee>
 * ```
 * @see `nti.site.testing.format_tree`
 * @public
 */
export function formatTree(object: object, options: PrintTreeOptions = {}): string {
  return [...lines(object, options, 0)].join('\n')
}

/** Prints {@link formatTree} on standard output. @public */
export function printTree(object: object, options: PrintTreeOptions = {}): void {
  console.log(formatTree(object, options))
}

function* lines(object: object, options: PrintTreeOptions, level: number): Generator<string> {
  yield '    '.repeat(level) + label(object)
  if (level >= (options.depth ?? Number.POSITIVE_INFINITY)) return
  if (options.siteManagers === true && ISite.providedBy(object)) {
    yield* lines(object.siteManager, options, level + 1)
  }
  if (object instanceof Container) {
    for (const item of object.values()) yield* lines(item, options, level + 1)
  }
}

function label(object: object): string {
  if (IRoot.providedBy(object)) return ISite.providedBy(object) ? '<ISite,IRoot>: /' : '<IRoot>: /'
  const name = nameOf(object) ?? '(no name)'
  if (ISite.providedBy(object)) return `<ISite>: ${name}`
  if (object instanceof Container) return name
  const itsClass = object.constructor as PersistentClass
  return `${name} => <${(storedNameOf(itsClass) ?? itsClass.name).replace(/^.*\./, '')}>`
}
