import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'

/** A key and its certificate, PEM. @public */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** @public */
export interface CertificateOptions {
  /** Host names and IP addresses it is for. Default `localhost`, `127.0.0.1` and `::1`. */
  readonly names?: readonly string[]
  /** Ms since the epoch. Default one hour ago. */
  readonly notBeforeMs?: number
  /** Ms since the epoch. Default tomorrow. */
  readonly notAfterMs?: number
}

/**
 * Makes a self-signed certificate that lives as long as a test. Whoever trusts it as an authority
 * trusts the receiver that shows it.
 * @throws Error when the optional package `selfsigned` is not installed.
 * @public
 */
export async function makeCertificate({
  names = ['localhost', '127.0.0.1', '::1'],
  notBeforeMs = Date.now() - 3_600_000,
  notAfterMs = Date.now() + 86_400_000,
}: CertificateOptions = {}): Promise<Certificate> {
  const { generate } = await loadSelfsigned()
  // Authorities are found by their names: whoever trusts two of these needs to tell them apart.
  const commonName = `treehook test receiver ${randomUUID().slice(0, 8)}`
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(notBeforeMs),
    notAfterDate: new Date(notAfterMs),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: names.map(altNameOf) },
    ],
  })
  return { key: made.private, cert: made.cert }
}

async function loadSelfsigned(): Promise<typeof import('selfsigned')> {
  try {
    return await import('selfsigned')
  } catch (cause) {
    throw new Error(
      'A receiver on loopback needs a certificate, and the package that makes it is not ' +
        'installed. Install it for your tests: npm install --save-dev selfsigned@5',
      { cause },
    )
  }
}

function altNameOf(name: string): { type: 2; value: string } | { type: 7; ip: string } {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name }
}
