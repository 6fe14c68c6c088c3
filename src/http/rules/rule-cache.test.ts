import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { RuleStore } from '../../jobs/rule-store.ts'
import type { Reference } from '../../oci/reference.ts'
import { EventLoopYielder } from '../event-loop-yielder.ts'
import { GlobSteps } from './glob-steps.ts'
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

  override in(scope: ProjectScope) {
    const rules = super.in(scope)
    const get = rules.get.bind(rules)
    rules.get = (id) => {
      this.reads.push(id)
      return get(id)
    }
    return rules
  }
}

/** Matches each rule against the image, and returns the names of the rules. */
async function matchAll(cache: RuleCache, scope = ProjectScope.ALL): Promise<string[]> {
  const names: string[] = []
  for await (const loaded of cache.all(scope)) {
    if (loaded.kind === 'invalid') continue
    const work = new GlobSteps(1).work(loaded.project, new EventLoopYielder())
    expect(await loaded.matcher.matches(image, work)).toBe(true)
    names.push(loaded.rule.name)
  }
  return names
}

it('reads each version of a rule once', async () => {
  const store = new RecordingRuleStore(opened.database)
  const rules = store.in(ProjectScope.ALL)
  const cache = new RuleCache(store)
  const first = await rules.create(document('a'))
  const second = await rules.create(document('b'))
  for (let n = 0; n < 3; n++) expect(await matchAll(cache)).toEqual(['a', 'b'])
  expect(store.reads).toEqual([first.id, second.id])
  // Also for versions within one millisecond.
  for (const name of ['c', 'd', 'e']) {
    await rules.replace(first.id, document(name))
    expect(await matchAll(cache)).toEqual([name, 'b'])
  }
  await rules.remove(second.id)
  expect(await matchAll(cache)).toEqual(['e'])
  expect(store.reads).toEqual([first.id, second.id, first.id, first.id, first.id])
})

it('caches rules within its memory budget, and still yields the others', async () => {
  const store = new RecordingRuleStore(opened.database)
  const ids: string[] = []
  for (const name of ['a', 'b', 'c', 'd'])
    ids.push((await store.in(ProjectScope.ALL).create(document(name))).id)
  const cache = new RuleCache(store, 10_000)
  await matchAll(cache)
  store.reads.length = 0
  expect(await matchAll(cache)).toEqual(['a', 'b', 'c', 'd'])
  expect(store.reads.length).toBeGreaterThan(0)
  expect(store.reads.length).toBeLessThan(4)
  expect(store.reads).not.toContain(ids[0])
})

it('yields the rules of a project, and keeps those of others', async () => {
  const store = new RecordingRuleStore(opened.database)
  const [a, b] = ['team-a', 'team-b'].map((project) => ProjectScope.of(project))
  const first = await store.in(a ?? ProjectScope.ALL).create(document('a'))
  await store.in(b ?? ProjectScope.ALL).create(document('b'))
  const cache = new RuleCache(store)
  for (let n = 0; n < 2; n++) {
    expect(await matchAll(cache, a)).toEqual(['a'])
    expect(await matchAll(cache, b)).toEqual(['b'])
    expect(await matchAll(cache)).toEqual(['a', 'b'])
  }
  expect(store.reads).toHaveLength(2)
  await store.in(b ?? ProjectScope.ALL).create(document('unwanted'))
  const wanted = []
  for await (const { project } of cache.all(ProjectScope.ALL, async (name) => name === 'team-a'))
    wanted.push(project)
  expect([wanted, store.reads.length]).toEqual([['team-a'], 2])
  await opened.database.query.deleteFrom('rules').where('document', 'like', '%unwanted%').execute()
  expect(await store.in(b ?? ProjectScope.ALL).remove(first.id)).toBe(false)
  expect(await store.in(b ?? ProjectScope.ALL).replace(first.id, document('c'))).toBeUndefined()
  expect(await matchAll(cache)).toEqual(['a', 'b'])
})
