import { describe, expect, test } from '@jest/globals'
import { parseTrace } from '../support/crash/trace.js'

const hex = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
const at = (fd: number, path: string): string => `${fd}<${hex(path)}>`

function events(...lines: readonly string[]): unknown[] {
  return parseTrace(lines.join('\n'), '/data').map((event) =>
    'bytes' in event ? { ...event, bytes: String(event.bytes) } : event,
  )
}

describe('A trace', () => {
  test('says what was created, written, synced, renamed and removed', () => {
    expect(
      events(
        `7 openat(AT_FDCWD<${hex('/')}>, "${hex('/data/a')}", O_WRONLY|O_CREAT|O_TRUNC, 0644) = ${at(3, '/data/a')}`,
        `7 write(${at(3, '/data/a')}, "${hex('one')}", 3) = 3`,
        `7 fdatasync(${at(3, '/data/a')}) = 0`,
        `7 rename("${hex('/data/a')}", "${hex('/data/b')}") = 0`,
        `7 unlink("${hex('/data/b')}") = 0`,
      ),
    ).toEqual([
      { kind: 'create', path: '/data/a' },
      { kind: 'write', path: '/data/a', offset: -1, bytes: 'one' },
      { kind: 'syncBegin', path: '/data/a', id: 2 },
      { kind: 'syncEnd', path: '/data/a', id: 2 },
      { kind: 'rename', path: '/data/a', to: '/data/b' },
      { kind: 'unlink', path: '/data/b' },
    ])
  })

  test('puts a call that waited where it began and where it ended', () => {
    expect(
      events(
        `7 fdatasync(${at(3, '/data/a')} <unfinished ...>`,
        `8 write(${at(3, '/data/a')}, "${hex('late')}", 4) = 4`,
        '7 <... fdatasync resumed>) = 0',
      ),
    ).toEqual([
      { kind: 'syncBegin', path: '/data/a', id: 0 },
      { kind: 'write', path: '/data/a', offset: -1, bytes: 'late' },
      { kind: 'syncEnd', path: '/data/a', id: 0 },
    ])
  })

  test('leaves out what failed and what is elsewhere', () => {
    expect(
      events(
        `7 unlink("${hex('/data/a')}") = -1 ENOENT (No such file or directory)`,
        `7 write(${at(3, '/other/a')}, "${hex('/data')}", 5) = 5`,
      ),
    ).toEqual([])
  })

  test('counts as written what a call took', () => {
    expect(events(`7 write(${at(3, '/data/a')}, "${hex('short')}", 5) = 2`)).toEqual([
      { kind: 'write', path: '/data/a', offset: -1, bytes: 'sh' },
    ])
  })

  test('names the files of calls that a kill cut off', () => {
    expect(
      events(
        `7 write(${at(3, '/data/a')}, "${hex('all')}", 3) = ?`,
        `8 fsync(${at(4, '/data/b')} <unfinished ...>`,
        `9 unlink("${hex('/data/c')}" <unfinished ...>`,
      ),
    ).toEqual([
      { kind: 'cutOff', path: '/data/a' },
      { kind: 'cutOff', path: '/data/b' },
      { kind: 'cutOff', path: '/data/c' },
    ])
  })

  test('hears what the process says', () => {
    const line = `7 writev(${at(1, 'pipe:[1]')}, [{iov_base="${hex('ack 1 2')}", iov_len=7}, {iov_base="${hex('\n')}", iov_len=1}], 2) = 8`
    expect(events(line)).toEqual([{ kind: 'said', text: 'ack 1 2\n' }])
  })

  test('is refused when it holds a call that the model does not know', () => {
    const line = `7 ftruncate(${at(3, '/data/a')}, 0) = 0`
    expect(() => events(line)).toThrow(/knows no ftruncate/)
  })
})
