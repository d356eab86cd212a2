import { InvalidIdError } from './errors.js'

/**
 * @param what - for the message: `a principal`.
 * @throws SECURITY_INVALID_ID when it is no text, empty, or has whitespace.
 * @see `zope.schema.Id`
 */
export function assertId(id: unknown, what: string): asserts id is string {
  if (typeof id === 'string' && id !== '' && id.isWellFormed() && !/\s/.test(id)) return
  const given = typeof id === 'string' ? JSON.stringify(id) : id === null ? 'null' : typeof id
  throw new InvalidIdError(
    `${given} cannot be the id of ${what}: an id is text of at least one character, and whitespace is not allowed in it`,
  )
}
