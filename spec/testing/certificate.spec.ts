import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { connect, createServer } from 'node:tls'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import ts from 'typescript'
import { type Certificate, makeCertificate } from '../../lib/testing/certificate.js'

/** Shakes hands with a server that shows the certificate; rejects when it is not trusted. */
async function shakeHands(
  shown: Certificate,
  { ca, servername }: { readonly ca: string[]; readonly servername?: string },
): Promise<void> {
  const server = createServer(shown, (socket) => socket.on('error', () => {}))
  server.on('tlsClientError', () => {})
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const named = servername === undefined ? {} : { servername }
  const socket = connect({ host: '127.0.0.1', port, ca, ...named })
  try {
    await new Promise<void>((done, fail) => socket.once('secureConnect', done).on('error', fail))
  } finally {
    socket.destroy()
    await new Promise((done) => server.close(done))
  }
}

describe('Certificate', () => {
  test('it is for loopback unless told otherwise', async () => {
    const { cert } = await makeCertificate()
    const made = new X509Certificate(cert)
    expect(made.checkHost('localhost')).toBe('localhost')
    expect(made.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(made.checkIP('::1')).toBe('::1')
    expect(made.checkHost('offices.test')).toBeUndefined()
  })

  test('it is for the names and addresses given, and no others', async () => {
    const { cert } = await makeCertificate({ names: ['offices.test', '10.1.2.3'] })
    const made = new X509Certificate(cert)
    expect(made.subjectAltName).toBe('DNS:offices.test, IP Address:10.1.2.3')
    expect(made.checkIP('127.0.0.1')).toBeUndefined()
  })

  test('it is an authority, signed with its own key', async () => {
    const { key, cert } = await makeCertificate()
    const made = new X509Certificate(cert)
    expect(made.ca).toBe(true)
    expect(made.verify(made.publicKey)).toBe(true)
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/)
    expect(made.publicKey.asymmetricKeyType).toBe('ec')
  })

  test('it holds from and to the moments given', async () => {
    const notBeforeMs = Date.UTC(2031, 0, 2, 3, 4, 5)
    const notAfterMs = Date.UTC(2032, 5, 7, 8, 9, 10)
    const { validFrom, validTo } = new X509Certificate(
      (await makeCertificate({ notBeforeMs, notAfterMs })).cert,
    )
    expect([Date.parse(validFrom), Date.parse(validTo)]).toEqual([notBeforeMs, notAfterMs])
  })

  test('whoever trusts it shakes hands with the server that shows it', async () => {
    const shown = await makeCertificate()
    await shakeHands(shown, { ca: [shown.cert] })
    await shakeHands(shown, { ca: [shown.cert], servername: 'localhost' })
    await expect(
      shakeHands(shown, { ca: [shown.cert], servername: 'offices.test' }),
    ).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  test('whoever trusts another one does not', async () => {
    const [shown, other] = await Promise.all([makeCertificate(), makeCertificate()])
    await expect(shakeHands(shown, { ca: [other.cert] })).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
  })

  test('whoever trusts two tells them apart', async () => {
    const [one, other] = await Promise.all([makeCertificate(), makeCertificate()])
    const subjects = [one, other].map(({ cert }) => new X509Certificate(cert).subject)
    expect(subjects[0]).not.toBe(subjects[1])
    for (const shown of [one, other]) await shakeHands(shown, { ca: [one.cert, other.cert] })
  })

  test.each([
    ['has expired', { notAfterMs: Date.now() - 60_000 }, 'CERT_HAS_EXPIRED'],
    ['is not valid yet', { notBeforeMs: Date.now() + 3_600_000 }, 'CERT_NOT_YET_VALID'],
  ])('one that %s is trusted by nobody', async (_what, moments, code) => {
    const shown = await makeCertificate(moments)
    await expect(shakeHands(shown, { ca: [shown.cert] })).rejects.toMatchObject({ code })
  })

  test('without the package that makes it, the error says what to install', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'treehook-certificate-'))
    try {
      const source = await readFile(resolve(__dirname, '../../lib/testing/certificate.ts'), 'utf8')
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022 },
      })
      // An empty folder hides a package of that name further up.
      await mkdir(join(directory, 'node_modules', 'selfsigned'), { recursive: true })
      const program = `${outputText}
        const error = await makeCertificate().then(() => undefined, (thrown) => thrown)
        console.log(JSON.stringify({ message: error?.message, code: error?.cause?.code }))`
      await writeFile(join(directory, 'program.mjs'), program)
      const { stdout } = await promisify(execFile)(process.execPath, ['program.mjs'], {
        cwd: directory,
      })
      expect(JSON.parse(stdout)).toEqual({
        message: expect.stringContaining('npm install --save-dev selfsigned@5'),
        code: 'ERR_MODULE_NOT_FOUND',
      })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
