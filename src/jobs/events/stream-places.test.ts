import { expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { StreamPlaces } from './stream-places.ts'

const [A, B] = [ProjectScope.of('team-a'), ProjectScope.of('team-b')]

describeDatabases('the places of event streams', (open) => {
  it('are taken by half from one of several projects, and by administrators as long as there are any', async () => {
    const opened = await open()
    const { query } = opened.database
    await query
      .insertInto('projects')
      .values({ name: 'team-a', document: '{}', created_at: 1, updated_at: 1 })
      .execute()
    const places = new StreamPlaces(opened.database, 6)
    const first = await places.take(A)
    // At once, as a caller does who wants all of them.
    const racing = await Promise.allSettled(Array.from({ length: 5 }, () => places.take(A)))
    expect(racing.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    const share = /the project team-a has its share of 3 event streams/
    await expect(places.take(A)).rejects.toThrow(share)
    for (let n = 0; n < 2; n++) await places.take(B)
    await places.take(ProjectScope.ALL)
    await expect(places.take(ProjectScope.ALL)).rejects.toThrow(/at most 6 event streams/)
    await expect(places.take(B)).rejects.toMatchObject({ code: 'EVENT_STREAMS_BUSY' })
    first[Symbol.dispose]()
    await places.take(B)
    await expect(places.take(A)).rejects.toMatchObject({ code: 'EVENT_STREAMS_BUSY' })
    await opened.close()
  })

  it('belong to one project if there is no other', async () => {
    const opened = await open()
    const places = new StreamPlaces(opened.database, 3)
    for (let n = 0; n < 3; n++) await places.take(ProjectScope.of('default'))
    await expect(places.take(ProjectScope.of('default'))).rejects.toThrow(/at most 3 event streams/)
    await opened.close()
  })
})
