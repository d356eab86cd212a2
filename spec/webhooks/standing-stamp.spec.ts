import { expect, test } from '@jest/globals'
import { Folder } from '../../lib/content/index.js'
import { raiseStandingStamp, standingStamp } from '../../lib/webhooks/standing-stamp.js'

test('the stamp rises with each container that is placed, and when it is raised', () => {
  const seen = [standingStamp()]
  raiseStandingStamp()
  seen.push(standingStamp())
  new Folder().set('inner', new Folder())
  seen.push(standingStamp())
  expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other))
  expect(seen).toHaveLength(3)
})
