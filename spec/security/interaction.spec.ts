import { afterEach, describe, expect, test } from '@jest/globals'
import {
  currentInteraction,
  getInteraction,
  grantsOf,
  Interaction,
  ISecurityPolicy,
  PERMISSION_PUBLIC,
  PrincipalInfo,
  runInInteraction,
  systemPrincipal,
} from '../../lib/security/index.js'
import { closeDatabases, codeOfThrown } from '../support/content-builders.js'
import { anOffice, bob, placesIn, READ } from '../support/security-builders.js'

afterEach(closeDatabases)

const ada = new PrincipalInfo('ada')

describe('Interaction', () => {
  test('is that of the call, across await, and ends with it', async () => {
    expect(currentInteraction()).toBeUndefined()
    const inside = runInInteraction(bob, async () => {
      const before = getInteraction()
      await new Promise(setImmediate)
      expect(getInteraction()).toBe(before)
      return before
    })
    expect(currentInteraction()).toBeUndefined()
    expect((await inside).participations.map(({ principal }) => principal)).toEqual([bob])
  })

  test('two at the same time do not see each other, and an inner one takes the place of an outer', async () => {
    const who = () => getInteraction().participations.map(({ principal }) => principal.id)
    const both = [bob, ada].map((principal) =>
      runInInteraction(principal, async () => {
        await new Promise(setImmediate)
        return [who(), runInInteraction(systemPrincipal, who), who()]
      }),
    )
    expect(await Promise.all(both)).toEqual(
      ['bob', 'ada'].map((id) => [[id], [systemPrincipal.id], [id]]),
    )
  })

  test('outside there is none, which is an error', () => {
    expect(codeOfThrown(getInteraction)).toBe('SECURITY_NO_INTERACTION')
  })

  test('all who take part must be allowed', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const { office } = placesIn(root)
      grantsOf(office).allow({ principal: 'bob', permission: READ })
      expect(new Interaction([]).isAllowed(READ, office)).toBe(true)
      expect(new Interaction(bob).isAllowed(READ, office)).toBe(true)
      expect(new Interaction([bob, ada]).isAllowed(READ, office)).toBe(false)
      grantsOf(office).allow({ principal: 'ada', permission: READ })
      expect(new Interaction([bob, ada]).isAllowed(READ, office)).toBe(true)
    })
  })

  test('the system may do everything, and everybody what is public', async () => {
    const { db } = await anOffice()
    await db.view(({ root }) => {
      expect(new Interaction(systemPrincipal).isAllowed(READ, root)).toBe(true)
      expect(new Interaction(bob).isAllowed(READ, root)).toBe(false)
      expect(new Interaction(bob).isAllowed(PERMISSION_PUBLIC, root)).toBe(true)
    })
  })

  test('principals join and leave', () => {
    const interaction = new Interaction(bob)
    const participation = interaction.add(ada)
    expect(interaction.participations.map(({ principal }) => principal.id)).toEqual(['bob', 'ada'])
    interaction.remove(participation)
    expect(interaction.participations).toHaveLength(1)
    expect(codeOfThrown(() => interaction.remove(participation))).toBe(
      'SECURITY_INVALID_PARTICIPATION',
    )
    expect(codeOfThrown(() => interaction.add({ id: 'a b', title: '' }))).toBe(
      'SECURITY_INVALID_ID',
    )
  })

  test('a participation is in one interaction at a time', () => {
    const participation = { principal: bob }
    const one = new Interaction(participation)
    expect(codeOfThrown(() => new Interaction(participation))).toBe(
      'SECURITY_INVALID_PARTICIPATION',
    )
    expect(codeOfThrown(() => new Interaction().remove(participation))).toBe(
      'SECURITY_INVALID_PARTICIPATION',
    )
    one.remove(participation)
    expect(new Interaction(participation).participations).toEqual([participation])
  })

  test('with one more takes it out again, whatever happens', () => {
    const interaction = new Interaction(bob)
    expect(interaction.with(ada, () => interaction.participations.length)).toBe(2)
    const failing = () =>
      interaction.with(ada, () => {
        throw new Error('no')
      })
    expect(failing).toThrow('no')
    expect(interaction.participations).toHaveLength(1)
  })

  test('a policy that is registered decides in place of the lineage', async () => {
    const { db } = await anOffice()
    const asked: string[] = []
    const policy: ISecurityPolicy = {
      isAllowed: ({ id }, permission) => asked.push(`${id} ${permission}`) > 0,
    }
    db.registry.registerUtility(policy, { provides: ISecurityPolicy })
    await db.view(({ root }) => {
      expect(runInInteraction(bob, () => getInteraction().isAllowed(READ, root))).toBe(true)
      expect(new Interaction(bob, { context: root }).isAllowed(READ, root)).toBe(true)
    })
    expect(asked).toEqual(['bob spec.Read', 'bob spec.Read'])
  })
})
