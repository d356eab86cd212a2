import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Database } from '../../lib/index.js'
import { startReceiverProcess } from '../../lib/testing/index.js'
import {
  aDirectory,
  attemptsOf,
  BOB,
  endAll,
  ending,
  outboxSize,
  theAttempt,
} from '../support/webhooks-builders.js'

const CHILD = join(process.cwd(), 'spec/support/webhooks-crash-child.ts')

afterEach(endAll)

/** @returns the signal that ended it. */
async function runUntilKilled(location: string, url: string): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, location, url], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [, signal] = await once(child, 'exit')
  return signal as NodeJS.Signals | null
}

describe('A process that is killed between the commit and the request', () => {
  test('leaves an attempt that the next one delivers, once, with its id', async () => {
    const directory = await aDirectory()
    const location = join(directory, 'data')
    const receiver = ending(
      await startReceiverProcess({ logFile: join(directory, 'received.jsonl') }),
    )
    expect(await runUntilKilled(location, receiver.url)).toBe('SIGKILL')
    expect(await receiver.count()).toBe(0)

    const asleep = await Database.open(location, { webhooks: { deliver: false } })
    const pending = await theAttempt(asleep)
    expect(pending).toMatchObject({ status: 'pending', tries: [] })
    expect(await outboxSize(asleep)).toBe(1)
    await asleep.close()

    const awake = await Database.open(location, {
      webhooks: { ca: [receiver.ca], destinations: { allow: ['127.0.0.1'] } },
    })
    await awake.webhooks.waitForPendingDeliveries()
    await awake.close()

    const requests = await receiver.requests()
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({
      method: 'POST',
      headers: { 'webhook-id': pending.messageId, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Bob', title: 'Senior', path: BOB }),
    })

    const again = ending(
      await Database.open(location, {
        webhooks: { ca: [receiver.ca], destinations: { allow: ['127.0.0.1'] } },
      }),
    )
    await again.webhooks.waitForPendingDeliveries()
    expect(await attemptsOf(again)).toMatchObject([
      {
        name: pending.name,
        status: 'successful',
        resolution: 'delivered',
        message: '200 OK',
        messageId: pending.messageId,
        tries: [{ statusCode: 200, error: null }],
        response: { statusCode: 200 },
        origin: pending.origin,
      },
    ])
    expect(pending.origin.pid).not.toBe(process.pid)
    expect(await outboxSize(again)).toBe(0)
    expect(await receiver.count()).toBe(1)
  })
})
