/**
 * The program of a receiver in its own process: plain CommonJS for `node -e`, so that it runs the
 * same from sources, from the built package and under any test runner.
 *
 * It is told `{ key, cert, logFile, answers }` once, answers `{ port }`, and later to `'count'` with
 * `{ count }`. It ends when its starter does. A request is in the log before it is answered.
 * @internal
 */
export const RECEIVER_PROGRAM = `
'use strict'
const { openSync, writeSync } = require('node:fs')
const { createServer } = require('node:https')

process.once('message', ({ key, cert, logFile, answers }) => {
  const log = logFile === undefined ? undefined : openSync(logFile, 'a')
  const sockets = new Map() // by remote port, below TLS
  let count = 0

  const server = createServer({ key, cert }, (request, response) => {
    const chunks = []
    request.on('error', () => {})
    response.on('error', () => {})
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      if (log !== undefined) writeSync(log, lineOf(request, chunks))
      const given = answers[Math.min(count++, answers.length - 1)]
      const reset = () => sockets.get(request.socket.remotePort)?.resetAndDestroy()
      if (given.delayMs > 0) setTimeout(answer, given.delayMs, response, given, reset)
      else answer(response, given, reset)
    })
  })

  server.on('connection', (socket) => {
    const { remotePort } = socket
    sockets.set(remotePort, socket)
    socket.on('close', () => sockets.delete(remotePort))
  })
  process.on('message', (message) => {
    if (message === 'count') process.send({ count })
  })
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
})
process.on('disconnect', () => process.exit(0))

function lineOf({ method, url: path, headers }, chunks) {
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)])
  const body = Buffer.concat(chunks).toString('utf8')
  return JSON.stringify({ method, path, headers: Object.fromEntries(texts), body, atMs: Date.now() }) + '\\n'
}

function answer(response, { statusCode = 200, headers = {}, body = '', fault }, reset) {
  if (fault === 'reset') {
    reset()
  } else if (fault !== 'silent') {
    response.writeHead(statusCode, headers)
    if (fault === 'drip') drip(response)
    else response.end(body)
  }
}

function drip(response) {
  response.flushHeaders()
  const timer = setInterval(() => response.write('.'), 50)
  response.on('close', () => clearInterval(timer))
}
`
