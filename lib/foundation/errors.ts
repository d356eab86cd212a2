/** What every error of treehook offers beside its message. */
export interface TreehookErrorOptions {
  /** What went wrong below, when something did. */
  readonly cause?: unknown
  /** Facts about the failure, by name. Never a secret: details are printed and logged. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * The base of all errors a caller can cause or the world can do. The class says the kind, `code` is
 * stable API, the message names the object and the way out. Programmer errors are
 * {@link InvariantError}s and stand outside this family.
 * @public
 */
export abstract class TreehookError extends Error {
  /** Stable, upper case, prefixed by the layer it comes from: `STORAGE_CLOSED`. */
  declare readonly code: string
  /** True when the same work, begun again, can succeed. */
  declare readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, options: TreehookErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.details = options.details ?? {}
  }
}

/** A class of errors that share one code. */
export interface ErrorClass {
  new (message: string, options?: TreehookErrorOptions): TreehookError
  readonly code: string
  readonly retryable: boolean
}

/**
 * Makes the class for one row of a layer's error table.
 * @param name - the class name in words, with `Error`: `StorageClosedError`.
 * @param code - the stable code: `STORAGE_CLOSED`.
 */
export function defineError(
  name: string,
  code: string,
  { retryable = false }: { readonly retryable?: boolean } = {},
): ErrorClass {
  const errorClass = class extends TreehookError {
    static readonly code = code
    static readonly retryable = retryable
    override readonly code = code
    override readonly retryable = retryable
  }
  Object.defineProperty(errorClass, 'name', { value: name })
  Object.defineProperty(errorClass.prototype, 'name', { value: name })
  return errorClass
}

/** The code of any thrown value; `undefined` when it is not one of ours. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof TreehookError ? error.code : undefined
}
