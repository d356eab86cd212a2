// The main job: a change to an object becomes webhooks that survive the death of the process.
// Everything here is real: a LevelDB directory, child processes, SIGKILL, HTTPS to another process.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Database,
  type PersistentSubscription,
  traverse,
  type WebhookDeliveryAttempt,
} from 'treehook'
import { type ReceivedRequest, startReceiverProcess } from 'treehook/testing'
import { BOB, Employee } from './employee.js'

const SITES = ['/NOAA/NWS/OUN', '/NOAA/NWS', '/NOAA']
const MANAGER = '++etc++site/default/WebhookSubscriptionManager'
/** What a run must observe: a step that was skipped is a failure too. */
const EXPECTED = 7 + SITES.length * 5

const directory = await mkdtemp(join(tmpdir(), 'treehook-'))
const database = join(directory, 'data')
const certificate = join(directory, 'receiver.pem')
const receiver = await startReceiverProcess({ logFile: join(directory, 'received.jsonl') })
let observed = 0
let missed = 0

try {
  await writeFile(certificate, receiver.ca)
  console.log(`A database in ${database}, a receiver at ${receiver.url}\n`)
  await writeAndDie()
  await deliver()
  await readResults(await receiver.requests())
} finally {
  await receiver.close()
  await rm(directory, { recursive: true, force: true })
}
console.log(`\n${observed} facts observed, ${missed} missed`)
process.exitCode = missed === 0 && observed === EXPECTED ? 0 : 1

async function writeAndDie(): Promise<void> {
  console.log('-- a process builds the tree, aborts, commits, and is killed before it sends')
  const child = start('write.ts', [database, receiver.url])
  const ended = once(child, 'exit')
  const told = await Promise.race([once(child, 'message'), ended])
  fact(told[0] === 'aborted', 'the process told of its aborted transaction')
  fact((await receiver.count()) === 0, 'the aborted transaction sent nothing')
  child.send('go on')
  const [, signal] = await ended
  fact(signal === 'SIGKILL', 'the process was killed between the commit and the request')
  fact((await receiver.count()) === 0, 'nothing had been sent when it died')
}

async function deliver(): Promise<void> {
  console.log('\n-- started again, it finds the pending deliveries and sends them')
  const child = start('deliver.ts', [database, certificate])
  const [code] = await once(child, 'exit')
  fact(code === 0, 'the process ended by itself')
  fact((await receiver.count()) === SITES.length, 'the receiver got one request for each site')
}

async function readResults(received: readonly ReceivedRequest[]): Promise<void> {
  console.log('\n-- the results, read from the database opened anew')
  await using db = await Database.open(database, { webhooks: { deliver: false } })
  await db.view(({ root }) => {
    const bob = traverse(root, BOB, Employee)
    fact(bob.title === 'Meteorologist in Charge', `Bob is ${bob.title}, at ${bob.phones.join()}`)
    for (const site of SITES) {
      const subscription = traverse(root, `${site}/${MANAGER}/PersistentSubscription`)
      const attempts = [...(subscription as PersistentSubscription).values()]
      fact(attempts.length === 1, `${site} has one attempt`)
      for (const attempt of attempts) showAttempt(attempt, received)
    }
  })
}

function showAttempt(attempt: WebhookDeliveryAttempt, received: readonly ReceivedRequest[]): void {
  const { request, response } = attempt
  const log = received.find(({ headers }) => headers['webhook-id'] === attempt.messageId)
  console.log(`   status    ${attempt.status}, ${attempt.resolution}: ${attempt.message}`)
  console.log(`   request   ${request?.method} ${request?.url}`)
  for (const [name, value] of Object.entries(request?.headers ?? {})) {
    console.log(`             ${name}: ${value}`)
  }
  console.log(`             ${request?.body}`)
  console.log(`   response  ${response?.statusCode} after ${response?.elapsedMs.toFixed(1)} ms`)
  console.log(`   tries     ${attempt.tries.map(({ elapsedMs }) => `${elapsedMs.toFixed(1)} ms`)}`)
  fact(attempt.status === 'successful', 'it is recorded as successful')
  fact(response?.statusCode === 200, 'with the answer 200')
  fact(attempt.origin.transactionNote === 'Bob is promoted', 'and the note of its transaction')
  fact(log?.body === request?.body, "the receiver's log has the same id and the same body")
}

function fact(holds: boolean, words: string): void {
  if (holds) observed++
  else missed++
  console.log(`${holds ? ' ok' : 'NOT'} ${words}`)
}

function start(script: string, parameters: readonly string[]): ChildProcess {
  return spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, script), ...parameters],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
}
