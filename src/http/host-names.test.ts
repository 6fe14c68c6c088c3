import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { JobApi } from '../../test/support/job-api.ts'
import { HostNames } from '../oci/host-names.ts'

const LOCAL = '127.0.0.1:8080'
const PUBLIC = 'broker.example'

describeDatabases('images of the embedded registry', (open) => {
  let opened: TestDatabase
  let api: JobApi
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened, { names: new HostNames([PUBLIC, LOCAL]) })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })

  const upload = async (host: string, path: string) => {
    const response = await api.app.inject({
      method: 'POST',
      url: `/v1/records?image=${host}/team/app:1.0&workload=serve`,
      headers: { 'content-type': 'text/plain' },
      payload: `${path}\n`,
    })
    return { status: response.statusCode, id: response.json().id, image: response.json().image }
  }

  it('have the same records under every name', async () => {
    const first = await upload(LOCAL, '/usr/bin/app')
    const again = await upload(PUBLIC, '/usr/bin/app')
    expect([first.status, again.status, again.id]).toEqual([201, 200, first.id])
    expect(first.image).toBe(`${PUBLIC}/team/app:1.0`)
    // Stored by a broker that had no public name yet.
    await using before = await JobApi.open(opened)
    const old = await before.app.inject({
      method: 'POST',
      url: `/v1/records?image=${LOCAL}/team/app:1.0`,
      headers: { 'content-type': 'text/plain' },
      payload: '/usr/bin/old\n',
    })
    for (const host of [LOCAL, PUBLIC]) {
      const { json } = await api.request('GET', `/v1/records?image=${host}/team/app:1.0`)
      expect(json.items.map(({ id }: { id: string }) => id)).toEqual([old.json().id, first.id])
    }
    expect((await api.request('GET', `/v1/records?image=r.test/team/app:1.0`)).json.items).toEqual([])
  })

  it('match rules that name the registry by any of its names', async () => {
    for (const [name, host] of [
      ['local', LOCAL],
      ['public', PUBLIC],
    ]) {
      const rule = {
        name,
        source: `${host}/rules/**`,
        target: `{host}/{repository}:{tag}-${name}`,
        onRecord: true,
        overwrite: true,
      }
      expect((await api.request('POST', '/v1/rules', rule)).status).toBe(201)
    }
    const response = await api.app.inject({
      method: 'POST',
      url: `/v1/records?image=${LOCAL}/rules/app:1.0`,
      headers: { 'content-type': 'text/plain' },
      payload: '/usr/bin/app\n',
    })
    expect(response.statusCode).toBe(201)
    const { json } = await api.request('GET', `/v1/conversions?source=${LOCAL}/rules/app:1.0`)
    expect(json.items.map(({ target }: { target: string }) => target).toSorted()).toEqual([
      `${PUBLIC}/rules/app:1.0-local`,
      `${PUBLIC}/rules/app:1.0-public`,
    ])
  })
})
