import { InvalidNameError } from './errors.js'

/**
 * @throws CONTENT_INVALID_NAME when no item can have this name: it is no text, empty, or something
 *   that paths mean otherwise (`.`, `..`, a namespace).
 */
export function assertValidName(name: unknown): asserts name is string {
  if (typeof name !== 'string') {
    throw new InvalidNameError(`A name is text, not ${name === null ? 'null' : typeof name}`)
  }
  if (name === '') throw new InvalidNameError('A name has at least one character')
  if (!name.isWellFormed()) throw new InvalidNameError('A name is well-formed Unicode text')
  if (name === '.' || name === '..' || name.startsWith('++') || name.startsWith('@@')) {
    throw new InvalidNameError(
      `${JSON.stringify(name)} means something else in a path; choose a name that is not . or .. and does not begin with ++ or @@`,
    )
  }
}
