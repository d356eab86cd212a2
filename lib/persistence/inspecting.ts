/** The property under which Node's `util.inspect`, and with it `console.log`, looks for a method. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** As `util.inspect` gives them to such a method. */
export interface InspectOptions {
  readonly depth?: number | null | undefined
}

export type Inspect = (value: unknown, options: InspectOptions) => string
