import { expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryClient } from '../client.ts'

const [wanted, old] = [digestOf('wanted'), digestOf('old')]

/** A registry whose tag stands for these one after the other, the last one for ever. */
async function showing(...digests: (string | undefined)[]) {
  let looks = 0
  const server = await HttpServer.start((_, response) => {
    const digest = digests[Math.min(looks, digests.length - 1)]
    looks += 1
    if (digest === undefined) return void response.writeHead(404).end()
    const headers = { 'content-type': OCI_MANIFEST, 'docker-content-digest': digest, 'content-length': 2 }
    response.writeHead(200, headers).end()
  })
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 } })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  const repository = client.repository({ host: server.host, repository: 'a' })
  return { repository, looks: () => looks, [Symbol.asyncDispose]: dispose }
}

it('a tag that shows at once is read once', async () => {
  await using here = await showing(wanted)
  expect(await here.repository.readBack('1', wanted)).toMatchObject({ now: wanted })
  expect(here.looks()).toBe(1)
})

it('a tag that is gone or old right after its put is read again until it shows', async () => {
  await using here = await showing(undefined, old, old, wanted)
  expect(await here.repository.readBack('1', wanted)).toMatchObject({
    now: wanted,
    said: expect.stringContaining(`it was gone, then stood for ${old} (2 times), then stood for ${wanted}`),
  })
})

it('a tag that stays as it was is given up on, and what was seen is told', async () => {
  await using here = await showing(undefined, old)
  const { now, said } = await here.repository.readBack('1', wanted)
  expect(now).toBe(old)
  expect(said).toMatch(new RegExp(`^it was gone, then stood for ${old} \\(5 times\\), in \\d+ seconds$`))
  expect(here.looks()).toBe(6)
})

it('ends with the reason of its signal', async () => {
  const stop = new AbortController()
  await using server = await HttpServer.start((_, response) => {
    stop.abort(new Error('enough'))
    response.writeHead(404).end()
  })
  await using client = new RegistryClient({ plainHttp: [server.host] })
  const repository = client.repository({ host: server.host, repository: 'a' })
  await expect(repository.readBack('1', wanted, { signal: stop.signal })).rejects.toThrow('enough')
})
