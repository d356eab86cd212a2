import { defineInterface, queryAdapter } from '../component/index.js'
import { DuplicateNameError, InvalidNameError, ReservedNameError } from './errors.js'
import type { IContainer } from './interfaces.js'
import { describe } from './location.js'
import { assertValidName, isValidName } from './names.js'

/**
 * Says which names the items of a container have. Register an adapter for your containers when the
 * default, {@link NameChooser}, is not right for them.
 *
 * Source: `zope.container.interfaces.INameChooser`.
 * @public
 */
export interface INameChooser {
  /**
   * @throws CONTENT_INVALID_NAME, CONTENT_RESERVED_NAME, CONTENT_DUPLICATE_NAME when the item cannot
   *   get this name.
   */
  checkName(name: string, item: object): void
  /** A free name for the item, as near to the suggestion as can be. Does not throw. */
  chooseName(suggestion: string, item: object): string
}
export const INameChooser = defineInterface<INameChooser>('treehook.INameChooser', {
  members: ['checkName', 'chooseName'],
})

/**
 * Names that name choosers leave alone. Register an adapter for your containers. `set` does not ask.
 *
 * Source: `zope.container.interfaces.IReservedNames`.
 * @public
 */
export interface IReservedNames {
  readonly reservedNames: ReadonlySet<string>
}
export const IReservedNames = defineInterface<IReservedNames>('treehook.IReservedNames', {
  members: ['reservedNames'],
})

/**
 * Names for people and URLs: none begins with `+` or `@` or has a `/`. A name that is taken gets `-2`,
 * `-3` and so on before its extension: `report.pdf`, `report-2.pdf`.
 *
 * Two transactions may choose the same name; the later one conflicts and, tried again, chooses
 * another.
 *
 * Source: `zope.container.contained.NameChooser`.
 * @public
 */
export class NameChooser implements INameChooser {
  readonly container: IContainer

  constructor(container: IContainer) {
    this.container = container
  }

  checkName(name: string, _item: object): void {
    assertValidName(name)
    if (/^[+@]|\//.test(name)) {
      throw new InvalidNameError(
        `${JSON.stringify(name)} begins with + or @, or has a /; choose a name that does not`,
      )
    }
    if (isReserved(this.container, name)) {
      throw new ReservedNameError(
        `${describe(this.container)} keeps the name ${JSON.stringify(name)} for itself; choose another name`,
      )
    }
    if (!this.container.has(name)) return
    throw new DuplicateNameError(
      `${describe(this.container)} has an item named ${JSON.stringify(name)} already; choose another name`,
    )
  }

  chooseName(suggestion: string, item: object): string {
    const wanted = String(suggestion)
      .toWellFormed()
      .replaceAll('/', '-')
      .replace(/^[+@]+/, '')
    const usable = isValidName(wanted) ? wanted : item.constructor?.name || 'item'
    return freeNameLike(usable, (name) => this.isFree(name))
  }

  private isFree(name: string): boolean {
    return !this.container.has(name) && !isReserved(this.container, name)
  }
}

/** What chooses names for a container: the adapter that is registered, or a {@link NameChooser}. @public */
export function nameChooserOf(container: IContainer): INameChooser {
  return queryAdapter(container, INameChooser) ?? new NameChooser(container)
}

/**
 * A free name for an item that is to be put into a container. Where no chooser is registered, a valid
 * name that is free is kept as it is.
 */
export function freeNameIn(container: IContainer, suggestion: string, item: object): string {
  const chooser = queryAdapter(container, INameChooser)
  if (chooser !== undefined) return chooser.chooseName(suggestion, item)
  const isFree = isValidName(suggestion) && !container.has(suggestion)
  if (isFree && !isReserved(container, suggestion)) return suggestion
  return new NameChooser(container).chooseName(suggestion, item)
}

function isReserved(container: IContainer, name: string): boolean {
  return queryAdapter(container, IReservedNames)?.reservedNames.has(name) === true
}

/**
 * The name, or the first free one with a number. Behind the first few, the number is found by
 * doubling and halving: a folder of a million numbered items is asked forty times, not a million.
 */
function freeNameLike(name: string, isFree: (name: string) => boolean): string {
  const dot = name.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  const numbered = (number: number): string =>
    number === 1 ? name : `${stem}-${number}${extension}`
  for (let number = 1; number <= TRIED_IN_ORDER; number++) {
    if (isFree(numbered(number))) return numbered(number)
  }
  let taken = TRIED_IN_ORDER
  let free = taken * 2
  while (!isFree(numbered(free))) [taken, free] = [free, free * 2]
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2)
    if (isFree(numbered(middle))) free = middle
    else taken = middle
  }
  return numbered(free)
}

const TRIED_IN_ORDER = 16
