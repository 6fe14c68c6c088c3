import { expect, it } from 'vitest'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { OCI_MANIFEST } from '../../oci/media-types.ts'
import { RegistryClient } from '../client.ts'

const [expected, old] = [digestOf('expected'), digestOf('old')]

/** A registry whose tag resolves to these digests in turn, and to the last one from then on. */
async function resolvingTo(...digests: (string | undefined)[]) {
  let reads = 0
  const server = await HttpServer.start((_, response) => {
    const digest = digests[Math.min(reads, digests.length - 1)]
    reads += 1
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
  return { repository, reads: () => reads, [Symbol.asyncDispose]: dispose }
}

it('reads a tag once if it has the expected digest', async () => {
  await using registry = await resolvingTo(expected)
  expect(await registry.repository.readTagBack('1', expected)).toMatchObject({ digest: expected })
  expect(registry.reads()).toBe(1)
})

it('reads a missing or outdated tag again until it has the expected digest', async () => {
  await using registry = await resolvingTo(undefined, old, old, expected)
  expect(await registry.repository.readTagBack('1', expected)).toMatchObject({
    digest: expected,
    history: expect.stringContaining(
      `it did not exist, then pointed to ${old} (2 times), then pointed to ${expected}`,
    ),
  })
})

it('stops after six reads, and reports what it read', async () => {
  await using registry = await resolvingTo(undefined, old)
  const { digest, history } = await registry.repository.readTagBack('1', expected)
  expect(digest).toBe(old)
  expect(history).toMatch(
    new RegExp(`^it did not exist, then pointed to ${old} \\(5 times\\), in \\d+ seconds$`),
  )
  expect(registry.reads()).toBe(6)
})

it('fails with the reason of its signal', async () => {
  const stop = new AbortController()
  await using server = await HttpServer.start((_, response) => {
    stop.abort(new Error('enough'))
    response.writeHead(404).end()
  })
  await using client = new RegistryClient({ plainHttp: [server.host] })
  const repository = client.repository({ host: server.host, repository: 'a' })
  await expect(repository.readTagBack('1', expected, { signal: stop.signal })).rejects.toThrow('enough')
})
