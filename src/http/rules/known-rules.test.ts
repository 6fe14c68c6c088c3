import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { RuleStore } from '../../jobs/rules.ts'
import type { Reference } from '../../oci/reference.ts'
import { Pace } from '../pace.ts'
import { KnownRules } from './known-rules.ts'

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

/** The store, and which documents were read from it. */
class Watched extends RuleStore {
  readonly read: string[] = []

  override get(id: string) {
    this.read.push(id)
    return super.get(id)
  }
}

/** The names of the rules, each after it was held against an image. */
async function names(known: KnownRules): Promise<string[]> {
  const found: string[] = []
  for await (const one of known.all()) {
    if ('invalid' in one) continue
    expect(await one.matcher.matches(image, new Pace())).toBe(true)
    found.push(one.rule.name)
  }
  return found
}

it('reads each version of a rule once', async () => {
  const store = new Watched(opened.database)
  const known = new KnownRules(store)
  const first = await store.create(document('a'))
  const second = await store.create(document('b'))
  for (let n = 0; n < 3; n++) expect(await names(known)).toEqual(['a', 'b'])
  expect(store.read).toEqual([first.id, second.id])
  // Within one millisecond, too.
  for (const name of ['c', 'd', 'e']) {
    await store.replace(first.id, document(name))
    expect(await names(known)).toEqual([name, 'b'])
  }
  await store.remove(second.id)
  expect(await names(known)).toEqual(['e'])
  expect(store.read).toEqual([first.id, second.id, first.id, first.id, first.id])
})

it('keeps as many as take little memory, and uses the others all the same', async () => {
  const store = new Watched(opened.database)
  const ids: string[] = []
  for (const name of ['a', 'b', 'c', 'd']) ids.push((await store.create(document(name))).id)
  const known = new KnownRules(store, 10_000)
  await names(known)
  store.read.length = 0
  expect(await names(known)).toEqual(['a', 'b', 'c', 'd'])
  expect(store.read.length).toBeGreaterThan(0)
  expect(store.read.length).toBeLessThan(4)
  expect(store.read).not.toContain(ids[0])
})
