import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { VERSION } from '../../app/version.ts'
import { type AppOptions, buildApp } from '../app.ts'

type Schema = { $ref?: string; example?: unknown; examples?: unknown[]; description?: string; items?: Schema }
type Content = Record<string, { schema: Schema; example?: unknown }>
type Response = { $ref?: string; content?: Content }
type Operation = {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  requestBody?: { content: Content }
  responses: Record<string, Response>
}
type Document = {
  openapi: string
  servers: { url: string }[]
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  webhooks: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; responses: Record<string, Response> }
}

async function generateDocument(options: Partial<AppOptions> = {}): Promise<Document> {
  const app = await buildApp({
    version: VERSION,
    services: {} as never,
    logger: false,
    maxBodyBytes: 1024,
    requestTimeoutMs: 1000,
    ...options,
  })
  const document = app.swagger() as unknown as Document
  await app.close()
  return JSON.parse(JSON.stringify(document)) as Document
}

it('matches the document in the repository, which npm run openapi writes', async () => {
  const stored = readFileSync(new URL('../../../openapi/openapi.json', import.meta.url), 'utf8')
  expect(JSON.parse(stored)).toEqual(await generateDocument())
})

it('names the server as its users do', async () => {
  const serverOf = async (options: Partial<AppOptions>) => (await generateDocument(options)).servers[0]?.url
  expect(await serverOf({})).toBe('/')
  expect(await serverOf({ publicUrl: new URL('https://broker.example') })).toBe('https://broker.example')
})

it('names and describes everything, with examples', async () => {
  const { openapi, paths, webhooks, tags, components } = await generateDocument()
  expect(openapi).toBe('3.1.0')
  for (const [name, schema] of Object.entries(components.schemas)) {
    expect([name, schema.description]).toEqual([name, expect.any(String)])
    expect(name).not.toMatch(/Input$/)
  }
  const operations = Object.entries({ ...paths, ...webhooks }).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ endpoint: `${method} ${path}`, operation })),
  )
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  const tagNames = tags.map(({ name }) => name)
  for (const { endpoint, operation } of operations) {
    expect([endpoint, operation.summary, operation.description, operation.tags]).toEqual([
      endpoint,
      expect.any(String),
      expect.any(String),
      [expect.toBeOneOf(tagNames)],
    ])
    for (const [type, { schema, example }] of Object.entries(operation.requestBody?.content ?? {})) {
      const named = components.schemas[schema.$ref?.split('/').at(-1) ?? '']
      expect([endpoint, type, example ?? named?.examples?.[0]]).toEqual([endpoint, type, expect.anything()])
    }
  }
})

it('describes every error as a problem document, and 503 wherever the database is used', async () => {
  const { paths, components } = await generateDocument()
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      const endpoint = `${method} ${path}`
      // The 503 of /readyz is a regular response, not a problem document.
      for (const status of Object.keys(responses).filter(
        (code) => Number(code) >= 400 && path !== '/readyz',
      )) {
        const shared = components.responses[responses[status]?.$ref?.split('/').at(-1) ?? '']
        expect([endpoint, status, Object.keys(shared?.content ?? {})]).toEqual([
          endpoint,
          status,
          ['application/problem+json'],
        ])
      }
      if (path.startsWith('/v1/'))
        expect([endpoint, Object.keys(responses)]).toEqual([endpoint, expect.arrayContaining(['503'])])
    }
  }
})
