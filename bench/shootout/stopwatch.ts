/** Ms, rising evenly. */
export function nowMs(): number {
  return performance.now()
}

/** Of what so many runs took, each told in ms, one after another. */
export async function meanOf(runs: number, run: () => number | Promise<number>): Promise<number> {
  let sum = 0
  for (let done = 0; done < runs; done++) sum += await run()
  return sum / runs
}
