/**
 * A mistake of treehook's own, never of its user or of the world. Nobody should catch it.
 * @public
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/**
 * States what must hold here.
 * @throws InvariantError when it does not.
 */
export function invariant(condition: unknown, whatMustHold: string): asserts condition {
  if (!condition) throw new InvariantError(`treehook is wrong here: ${whatMustHold}`)
}
