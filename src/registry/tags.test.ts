import { expect, it } from 'vitest'
import { type Handler, HttpServer } from '../../test/support/http-server.ts'
import { RegistryClient } from './client.ts'

async function serving(handler: Handler) {
  const server = await HttpServer.start(handler)
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 } })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  const repository = client.repository({ host: server.host, repository: 'a' })
  return { server, repository, [Symbol.asyncDispose]: dispose }
}

const page = (tags: string[] | null) => JSON.stringify({ name: 'a', tags })

it('follows relative and absolute links, and stops at its limit', async () => {
  await using here = await serving((request, response) => {
    const at = Number(request.query.get('last') ?? 0)
    const next = `/v2/a/tags/list?n=100&last=${at + 1}`
    const links = [`<${next}>; rel="next"`, `<http://${request.headers.host}${next}>; title=x; rel=next`]
    const link = links[at]
    response.writeHead(200, link === undefined ? {} : { link }).end(page([`t${at}`]))
  })
  expect(await Array.fromAsync(here.repository.tags())).toEqual(['t0', 't1', 't2'])
  expect(await Array.fromAsync(here.repository.tags({ limit: 2 }))).toEqual(['t0', 't1'])
  expect(here.server.log).toHaveLength(5)
  expect(await Array.fromAsync(here.repository.tags({ limit: 0 }))).toEqual([])
})

it('takes null for no tags, and other relations for no link', async () => {
  await using here = await serving(
    (_, response) => void response.writeHead(200, { link: '</v2/>; rel="first"' }).end(page(null)),
  )
  expect(await Array.fromAsync(here.repository.tags())).toEqual([])
})

it('follows no link to another host, and none in circles', async () => {
  await using other = await HttpServer.start((_, response) => void response.end(page([])))
  for (const link of [
    `<http://${other.host}/v2/a/tags/list>; rel="next"`,
    '</v2/a/tags/list?x>; rel="next"',
  ]) {
    await using here = await serving((_, response) => void response.writeHead(200, { link }).end(page(['x'])))
    await expect(Array.fromAsync(here.repository.tags())).rejects.toMatchObject({
      code: expect.stringMatching(/INVALID_RESPONSE|HOST_NOT_ALLOWED/),
    })
    expect(here.server.log.length).toBeLessThan(4)
  }
  expect(other.received).toEqual([])
})

it('names what is no list of tags', async () => {
  for (const body of ['<html>', '{"tags": 5}']) {
    await using here = await serving((_, response) => void response.end(body))
    await expect(Array.fromAsync(here.repository.tags())).rejects.toMatchObject({ code: 'INVALID_RESPONSE' })
  }
})
