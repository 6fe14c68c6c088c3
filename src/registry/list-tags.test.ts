import { expect, it } from 'vitest'
import { HttpServer, type RequestHandler } from '../../test/support/servers/http-server.ts'
import { RegistryClient } from './client.ts'

async function startRegistry(handler: RequestHandler) {
  const server = await HttpServer.start(handler)
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 } })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  const repository = client.repository({ host: server.host, repository: 'a' })
  return { server, repository, [Symbol.asyncDispose]: dispose }
}

const tagList = (tags: string[] | null) => JSON.stringify({ name: 'a', tags })

it('follows relative and absolute links, and stops at its limit', async () => {
  await using registry = await startRegistry((request, response) => {
    const page = Number(request.query.get('last') ?? 0)
    const next = `/v2/a/tags/list?n=100&last=${page + 1}`
    const links = [`<${next}>; rel="next"`, `<http://${request.headers.host}${next}>; title=x; rel=next`]
    const link = links[page]
    response.writeHead(200, link === undefined ? {} : { link }).end(tagList([`t${page}`]))
  })
  expect(await Array.fromAsync(registry.repository.listTags())).toEqual(['t0', 't1', 't2'])
  expect(await Array.fromAsync(registry.repository.listTags({ limit: 2 }))).toEqual(['t0', 't1'])
  expect(registry.server.log).toHaveLength(5)
  expect(await Array.fromAsync(registry.repository.listTags({ limit: 0 }))).toEqual([])
})

it('treats null as no tags, and ignores links with other relations', async () => {
  await using registry = await startRegistry(
    (_, response) => void response.writeHead(200, { link: '</v2/>; rel="first"' }).end(tagList(null)),
  )
  expect(await Array.fromAsync(registry.repository.listTags())).toEqual([])
})

it('rejects a link to another host, and a link to an earlier page', async () => {
  await using other = await HttpServer.start((_, response) => void response.end(tagList([])))
  for (const link of [
    `<http://${other.host}/v2/a/tags/list>; rel="next"`,
    '</v2/a/tags/list?x>; rel="next"',
  ]) {
    await using registry = await startRegistry(
      (_, response) => void response.writeHead(200, { link }).end(tagList(['x'])),
    )
    await expect(Array.fromAsync(registry.repository.listTags())).rejects.toMatchObject({
      code: expect.stringMatching(/INVALID_RESPONSE|HOST_NOT_ALLOWED/),
    })
    expect(registry.server.log.length).toBeLessThan(4)
  }
  expect(other.received).toEqual([])
})

it('rejects a response that is not a list of tags', async () => {
  for (const body of ['<html>', '{"tags": 5}']) {
    await using registry = await startRegistry((_, response) => void response.end(body))
    await expect(Array.fromAsync(registry.repository.listTags())).rejects.toMatchObject({
      code: 'INVALID_RESPONSE',
    })
  }
})
