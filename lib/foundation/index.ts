export {
  AsyncScope,
  callInScopes,
  currentScopes,
  outsideAllScopes,
  type Scopes,
} from './async-scope.js'
export { asBuffer, readUint64, toHex64, writeUint32, writeUint64 } from './bytes.js'
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
