import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The heap in use, in MB, when nothing more can be collected. */
export async function heapMb(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let time = 0; time < 5; time++) {
    collect()
    await sleep(20)
  }
  return process.memoryUsage().heapUsed / 1e6
}
