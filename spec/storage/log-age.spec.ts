import { describe, expect, test } from '@jest/globals'
import { LogAge } from '../../lib/storage/log-age.js'

function filled(age: LogAge, bytes: number, batch: number): void {
  for (let written = 0; written < bytes; written += batch) age.add(batch)
}

describe('The age of what is in logs', () => {
  test('what was just written has not left', () => {
    const age = new LogAge(1000)
    age.add(100)
    const mark = age.now
    expect(age.hasLeft(mark)).toBe(false)
    filled(age, 3000, 100)
    expect(age.hasLeft(mark)).toBe(false)
  })

  test('it has left once several write buffers were written after it', () => {
    const age = new LogAge(1000)
    const mark = age.now
    filled(age, 5000, 100)
    expect(age.hasLeft(mark)).toBe(true)
    expect(age.hasLeft(age.now)).toBe(false)
  })

  test('a batch larger than the buffer counts as one', () => {
    const age = new LogAge(1000)
    const mark = age.now
    filled(age, 40_000, 10_000)
    expect(age.hasLeft(mark)).toBe(false)
    age.add(1)
    expect(age.hasLeft(mark)).toBe(true)
  })
})
