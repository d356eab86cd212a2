// Runs all examples, or those named, and compares what they print: `npm run examples -- 03`.

import { examplesIn, runExample } from './doctest.js'

const wanted = process.argv.slice(2)
const directory = import.meta.dirname
const names = (await examplesIn(directory)).filter(
  (name) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)),
)
let failed = 0
for (const name of names) {
  const { problem } = await runExample(directory, name)
  if (problem !== '') failed++
  console.log(problem === '' ? ` ok ${name}` : `NOT ${name}: ${problem}`)
}
if (names.length === 0) console.log(`no example begins with ${wanted.join(' or ')}`)
process.exitCode = failed > 0 || names.length === 0 ? 1 : 0
