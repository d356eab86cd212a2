import { type Interface, queryUtility } from '../component/index.js'
import { Contained, describe } from '../content/index.js'
import { field } from '../persistence/index.js'
import { assertId } from './ids.js'

/** @public */
export interface DescriptionOptions {
  readonly title?: string
  readonly description?: string
}

/** What permissions and roles are: an id with words for people, registered under that id. */
export class Description {
  readonly id: string
  readonly title: string
  readonly description: string

  /** @throws SECURITY_INVALID_ID */
  constructor(id: string, { title = id, description = '' }: DescriptionOptions = {}) {
    assertId(id, `a ${new.target.name.toLowerCase()}`)
    this.id = id
    this.title = title
    this.description = description
  }
}

/** The same, kept and registered in a site. */
export class LocalDescription extends Contained {
  @field accessor id = ''
  @field accessor title = ''
  @field accessor description = ''
}

/** @public */
export interface PlaceOption {
  /** The object whose place decides; absent: the registry of this call. */
  readonly context?: unknown
}

/** Registered under that id where the context is, else in the registry of this call. */
export function queryRegistered<T>(
  provided: Interface<T>,
  id: string,
  { context }: PlaceOption,
): T | undefined {
  const found = queryUtility(provided, { name: id, context })
  return found ?? (context === undefined ? undefined : queryUtility(provided, { name: id }))
}

/** Where it was looked for, in words. */
export function placeText({ context }: PlaceOption): string {
  return context === undefined ? 'in the registry of this call' : `at ${describe(context)}`
}
