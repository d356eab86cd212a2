import { TransactionMetadataError } from './errors.js'

/** The most UTF-8 bytes of a description, and of a user. @public */
export const METADATA_LIMIT_BYTES = 65_535

/**
 * What a transaction says of itself, checked: it is stored with the commit. A value: each change makes
 * another one, so that most transactions share the empty one.
 * @internal
 */
export class TransactionMetadata {
  static readonly empty = new TransactionMetadata('', '', Object.freeze({}))

  /** Notes, joined by a newline. */
  readonly description: string
  readonly user: string
  readonly extension: Readonly<Record<string, unknown>>

  private constructor(
    description: string,
    user: string,
    extension: Readonly<Record<string, unknown>>,
  ) {
    this.description = description
    this.user = user
    this.extension = extension
  }

  /** @throws TRANSACTION_METADATA when it is no text, or too long. */
  withUser(user: string): TransactionMetadata {
    return new TransactionMetadata(this.description, storableText('user', user), this.extension)
  }

  /** Source: `transaction._transaction.Transaction.note`; an empty note adds nothing here. */
  withNote(text: string): TransactionMetadata {
    const note = storableText('note', text).trim()
    if (note === '') return this
    const { description, user, extension } = this
    const all = description === '' ? note : storableText('description', `${description}\n${note}`)
    return new TransactionMetadata(all, user, extension)
  }

  /**
   * The value is copied now: what happens to it later is not stored.
   * @throws TRANSACTION_METADATA when it is no plain data.
   */
  with(name: string, value: unknown): TransactionMetadata {
    const extension = Object.freeze({ ...this.extension, [name]: copyOfPlain(name, value) })
    return new TransactionMetadata(this.description, this.user, extension)
  }
}

function storableText(field: string, text: string): string {
  if (typeof text !== 'string') throw TransactionMetadataError.notText(field, text)
  // No UTF-16 unit takes more than three bytes: short texts need not be counted.
  if (text.length * 3 <= METADATA_LIMIT_BYTES) return text
  const bytes = Buffer.byteLength(text)
  if (bytes <= METADATA_LIMIT_BYTES) return text
  throw TransactionMetadataError.tooLong(field, bytes, METADATA_LIMIT_BYTES)
}

function copyOfPlain(name: string, value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch (error) {
    throw TransactionMetadataError.notPlain(name, error)
  }
}
