import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { RuleStore } from '../../jobs/rule-store.ts'
import type { Reference } from '../../oci/reference.ts'
import { EventLoopYielder } from '../event-loop-yielder.ts'
import { RuleCache } from './rule-cache.ts'

const image: Reference = { host: 'r.test', repository: 'team/app', tag: '1.0' }
const document = (name: string) => ({
  name,
  source: 'r.test/team/**',
  target: '{host}/{repository}:{tag}-esgz',
})

let opened: TestDatabase
beforeAll(async () => {
  opened = await temporarySqlite()
})
afterAll(() => opened.close())
beforeEach(async () => {
  await opened.database.query.deleteFrom('rules').execute()
})

/** Records which rules are read from the store. */
class RecordingRuleStore extends RuleStore {
  readonly reads: string[] = []

  override get(id: string) {
    this.reads.push(id)
    return super.get(id)
  }
}

/** Matches each rule against the image, and returns the names of the rules. */
async function matchAll(cache: RuleCache): Promise<string[]> {
  const names: string[] = []
  for await (const loaded of cache.all()) {
    if (loaded.kind === 'invalid') continue
    expect(await loaded.matcher.matches(image, new EventLoopYielder())).toBe(true)
    names.push(loaded.rule.name)
  }
  return names
}

it('reads each version of a rule once', async () => {
  const store = new RecordingRuleStore(opened.database)
  const cache = new RuleCache(store)
  const first = await store.create(document('a'))
  const second = await store.create(document('b'))
  for (let n = 0; n < 3; n++) expect(await matchAll(cache)).toEqual(['a', 'b'])
  expect(store.reads).toEqual([first.id, second.id])
  // Also for versions within one millisecond.
  for (const name of ['c', 'd', 'e']) {
    await store.replace(first.id, document(name))
    expect(await matchAll(cache)).toEqual([name, 'b'])
  }
  await store.remove(second.id)
  expect(await matchAll(cache)).toEqual(['e'])
  expect(store.reads).toEqual([first.id, second.id, first.id, first.id, first.id])
})

it('caches rules within its memory budget, and still yields the others', async () => {
  const store = new RecordingRuleStore(opened.database)
  const ids: string[] = []
  for (const name of ['a', 'b', 'c', 'd']) ids.push((await store.create(document(name))).id)
  const cache = new RuleCache(store, 10_000)
  await matchAll(cache)
  store.reads.length = 0
  expect(await matchAll(cache)).toEqual(['a', 'b', 'c', 'd'])
  expect(store.reads.length).toBeGreaterThan(0)
  expect(store.reads.length).toBeLessThan(4)
  expect(store.reads).not.toContain(ids[0])
})
