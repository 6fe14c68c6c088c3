import { expect, it } from 'vitest'
import { ProjectScope } from '../../db/project-scope.ts'
import { PushBuffer } from './push-buffer.ts'
import type { Push, RuleEngine } from './rule-engine.ts'

const NO_WAIT = { initialMs: 1, maxMs: 1, minShare: 1 }
const outcome = (name: string) => ({
  name,
  digest: undefined,
  image: undefined,
  conversions: [],
  refused: name.endsWith('refused') ? [{ ruleId: 'r', code: 'CODE', message: 'why' }] : [],
  ignoredReason: '',
})

/** A buffer whose rules fail some times, and what it did. */
function bufferFailing(times: number) {
  const handled: string[][] = []
  const logged: string[] = []
  const take = (_: unknown, text?: string) => void logged.push(text ?? '')
  const log = { error: take, warn: take }
  let failures = 0
  const handlePushes: RuleEngine['handlePushes'] = async (pushes: readonly Push[], { caller }) => {
    expect(caller.projectScope).toBe(ProjectScope.ALL)
    handled.push(pushes.map(({ image }) => image))
    if (failures++ < times) throw new Error('the database is down')
    return pushes.map(({ image }) => outcome(image))
  }
  return { buffer: new PushBuffer({ engine: { handlePushes }, log, backoff: NO_WAIT }), handled, logged }
}

it('applies the rules to batches, and tries again after a failure', async () => {
  const { buffer, handled, logged } = bufferFailing(1)
  buffer.add({ image: 'r.test/app:1' })
  for (const tag of ['2', 'refused', '2']) buffer.add({ image: `r.test/app:${tag}` })
  await expect.poll(() => handled.length).toBe(3)
  await buffer[Symbol.asyncDispose]()
  const second = ['r.test/app:2', 'r.test/app:refused']
  expect(handled).toEqual([['r.test/app:1'], ['r.test/app:1'], second])
  expect(logged).toEqual([
    'the rules are applied to pushed images again',
    'rules could not convert a pushed image',
  ])
})

it('gives up after some failures, and goes on with later pushes', async () => {
  const { buffer, handled, logged } = bufferFailing(8)
  buffer.add({ image: 'r.test/app:1' })
  await expect.poll(() => logged.at(-1)).toBe('the rules could not be applied to pushed images')
  buffer.add({ image: 'r.test/app:2' })
  await buffer[Symbol.asyncDispose]()
  expect(handled).toHaveLength(9)
  expect(handled.at(-1)).toEqual(['r.test/app:2'])
})

it('holds a bounded number of pushes', async () => {
  const { buffer, handled, logged } = bufferFailing(0)
  for (let n = 0; n < 1500; n++) buffer.add({ image: `r.test/app:${n}` })
  await buffer[Symbol.asyncDispose]()
  expect(handled.map((batch) => batch.length)).toEqual([1, 1000])
  expect(logged).toHaveLength(499)
})
