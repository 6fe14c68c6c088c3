import { expect, it } from 'vitest'
import { describeDatabases } from '../../test/support/databases.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { RuleStore } from './rule-store.ts'

describeDatabases('the number of rules', (open) => {
  it('of one project is a quarter of all as soon as there are others', async () => {
    const opened = await open()
    const rules = new RuleStore(opened.database, { maxRules: 12 })
    const create = (scope: ProjectScope) => rules.in(scope).create({})
    const own = ProjectScope.of('default')
    for (let n = 0; n < 4; n++) await create(own)
    await opened.database.query
      .insertInto('projects')
      .values({ name: 'team-a', document: '{}', created_at: 1, updated_at: 1 })
      .execute()
    await expect(create(own)).rejects.toThrow(/the project default has its share of 3 rules/)
    const racing = await Promise.allSettled(
      Array.from({ length: 5 }, () => create(ProjectScope.of('team-a'))),
    )
    expect(racing.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    for (let n = 0; n < 5; n++) await create(ProjectScope.ALL)
    await expect(create(ProjectScope.ALL)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await expect(create(ProjectScope.ALL)).rejects.toThrow(/there are 12 rules already/)
    await opened.close()
  })
})
