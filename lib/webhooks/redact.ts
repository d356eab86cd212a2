/** What stands in the place of a secret. @public */
export const REDACTED = '[redacted]'

const SECRET_NAMES = new Set([
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
  'cookie',
  'cookie2',
  'set-cookie',
  'set-cookie2',
])

/** Whole words in a header name: `x-api-key`, `x-auth-token`, `client-secret`. */
const SECRET_WORDS =
  /(?:^|[-_])(?:auth|(?:api|access|private)[-_]?key|token|secret|password|passwd|credentials?|session)(?:$|[-_])/

/**
 * The headers as they may be recorded: values of secret-bearing names are replaced.
 * @param secretNames - further names to hide, in any case.
 * @public
 */
export function redactHeaders(
  headers: Readonly<Record<string, string>>,
  secretNames: readonly string[] = [],
): Record<string, string> {
  const further = new Set(secretNames.map((name) => name.toLowerCase()))
  const safe: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    safe[name] = namesSecret(lower) || further.has(lower) ? REDACTED : value
  }
  return safe
}

/** Names come again with each request; as many as a few receivers can invent are remembered. */
const known = new Map<string, boolean>()
const MAX_KNOWN = 1000

function namesSecret(lower: string): boolean {
  let secret = known.get(lower)
  if (secret === undefined) {
    secret = SECRET_NAMES.has(lower) || SECRET_WORDS.test(lower)
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(lower, secret)
  }
  return secret
}

/**
 * The URL as it may be recorded: without user name and password. What has no host becomes
 * {@link REDACTED}, for nobody can say what is in it.
 * @public
 */
export function redactUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || parsed.host === '') return REDACTED
  if (parsed.username === '' && parsed.password === '') return url
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}
