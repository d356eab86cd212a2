import { InvalidNameError } from './errors.js'

/**
 * @throws CONTENT_INVALID_NAME when no item can have this name: it is no text, empty, or something
 *   that paths mean otherwise (`.`, `..`, a namespace).
 */
export function assertValidName(name: unknown): asserts name is string {
  const problem = problemOf(name)
  if (problem !== undefined) throw new InvalidNameError(problem)
}

/** Whether an item can have this name. */
export function isValidName(name: unknown): name is string {
  return problemOf(name) === undefined
}

function problemOf(name: unknown): string | undefined {
  if (typeof name !== 'string') return `A name is text, not ${name === null ? 'null' : typeof name}`
  if (name === '') return 'A name has at least one character'
  if (!name.isWellFormed()) return 'A name is well-formed Unicode text'
  if (name === '.' || name === '..' || name.startsWith('++') || name.startsWith('@@')) {
    return `${JSON.stringify(name)} means something else in a path; choose a name that is not . or .. and does not begin with ++ or @@`
  }
  return undefined
}
