import { REDACTED, redactHeaders } from './redact.js'
import type { OutgoingRequest } from './transport.js'

/** Shorter ones would hide half of every text. */
const MIN_LENGTH = 4

/**
 * What a request carries that must not be recorded: credentials of its URL, and the values of
 * headers that bear secrets. Each also as it is written elsewhere: decoded, and as Basic
 * authorization.
 */
export function secretsOf({ url, headers }: Pick<OutgoingRequest, 'url' | 'headers'>): string[] {
  const secrets = new Set<string>()
  if (url.includes('@') && URL.canParse(url)) {
    const { username, password } = new URL(url)
    const name = decoded(username)
    const word = decoded(password)
    if (name !== '' || word !== '') {
      secrets.add(Buffer.from(`${name}:${word}`).toString('base64'))
      secrets.add(`${username}:${password}`).add(`${name}:${word}`)
      // A token stands in the place of the user name when there is no password.
      for (const secret of word === '' ? [username, name] : [password, word]) secrets.add(secret)
    }
  }
  const shown = redactHeaders(headers)
  for (const [name, value] of Object.entries(headers)) {
    if (shown[name] === value) continue
    secrets.add(value)
    const credentials = /^\S+ (\S+)$/.exec(value)?.[1]
    if (credentials !== undefined) secrets.add(credentials)
  }
  return [...secrets]
    .filter((secret) => secret.length >= MIN_LENGTH)
    .sort((a, b) => b.length - a.length)
}

/** The text, with every secret in it replaced. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let safe = text
  for (const secret of secrets) safe = safe.replaceAll(secret, REDACTED)
  return safe
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
