import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { VERSION } from '../app/version.ts'
import { buildApp } from './app.ts'

type Schema = { $ref?: string; example?: unknown; examples?: unknown[]; description?: string; items?: Schema }
type Content = Record<string, { schema: Schema; example?: unknown }>
type Operation = {
  operationId?: string
  summary?: string
  tags?: string[]
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}
type Document = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

async function generateDocument(): Promise<Document> {
  const app = await buildApp({
    version: VERSION,
    services: {} as never,
    logger: false,
    maxBodyBytes: 1024,
    requestTimeoutMs: 1000,
  })
  const document = app.swagger() as unknown as Document
  await app.close()
  return JSON.parse(JSON.stringify(document)) as Document
}

it('matches the document in the repository, which npm run openapi writes', async () => {
  const stored = readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')
  expect(JSON.parse(stored)).toEqual(await generateDocument())
})

it('names and describes everything, with examples', async () => {
  const { openapi, paths, components } = await generateDocument()
  expect(openapi).toBe('3.1.0')
  for (const [name, schema] of Object.entries(components.schemas)) {
    expect([name, schema.description]).toEqual([name, expect.any(String)])
    expect(name).not.toMatch(/Input$/)
  }
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ endpoint: `${method} ${path}`, operation })),
  )
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { endpoint, operation } of operations) {
    expect([endpoint, operation.summary, operation.tags]).toEqual([
      endpoint,
      expect.any(String),
      [expect.any(String)],
    ])
    for (const [type, { schema, example }] of Object.entries(operation.requestBody?.content ?? {})) {
      const named = components.schemas[schema.$ref?.split('/').at(-1) ?? '']
      expect([endpoint, type, example ?? named?.examples?.[0]]).toEqual([endpoint, type, expect.anything()])
    }
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      // The 503 of /readyz is a regular response, not a problem document.
      if (Number(status) >= 400 && endpoint !== 'get /readyz')
        expect([endpoint, status, Object.keys(content)]).toEqual([
          endpoint,
          status,
          ['application/problem+json'],
        ])
    }
  }
})
