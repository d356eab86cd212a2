export {
  AsyncScope,
  callInScopes,
  currentScopes,
  outsideAllScopes,
  type Scopes,
} from './async-scope.js'
export { asBuffer, fromHex64, readUint64, toHex64, writeUint32, writeUint64 } from './bytes.js'
export { type Clock, systemClock } from './clock.js'
export { crc32c, maskedCrc32c } from './crc32c.js'
export { Deferred } from './deferred.js'
export {
  codeOf,
  defineError,
  type ErrorClass,
  TreehookError,
  type TreehookErrorOptions,
} from './errors.js'
export { InvariantError, invariant } from './invariant.js'
export {
  aBoolean,
  aClock,
  aFunction,
  anAbortSignal,
  anIterable,
  anObjectWith,
  anything,
  aPath,
  aWholeNumber,
  checkOption,
  checkOptions,
  milliseconds,
  type OptionRule,
  type OptionRules,
  oneOf,
} from './options.js'
