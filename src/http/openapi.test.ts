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

async function described(): Promise<Document> {
  const app = await buildApp({
    version: VERSION,
    services: {} as never,
    logger: false,
    maxBodyBytes: 1024,
    requestMs: 1000,
  })
  const document = app.swagger() as unknown as Document
  await app.close()
  return JSON.parse(JSON.stringify(document)) as Document
}

it('is the document in the repository: npm run openapi writes it', async () => {
  const stored = readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')
  expect(JSON.parse(stored)).toEqual(await described())
})

it('names, describes and exemplifies everything', async () => {
  const { openapi, paths, components } = await described()
  expect(openapi).toBe('3.1.0')
  for (const [name, schema] of Object.entries(components.schemas)) {
    expect([name, schema.description]).toEqual([name, expect.any(String)])
    expect(name).not.toMatch(/Input$/)
  }
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ at: `${method} ${path}`, operation })),
  )
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { at, operation } of operations) {
    expect([at, operation.summary, operation.tags]).toEqual([at, expect.any(String), [expect.any(String)]])
    for (const [type, { schema, example }] of Object.entries(operation.requestBody?.content ?? {})) {
      const named = components.schemas[schema.$ref?.split('/').at(-1) ?? '']
      expect([at, type, example ?? named?.examples?.[0]]).toEqual([at, type, expect.anything()])
    }
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      // What /readyz answers when something is not ready is its answer, and no problem of the request.
      if (Number(status) >= 400 && at !== 'get /readyz')
        expect([at, status, Object.keys(content)]).toEqual([at, status, ['application/problem+json']])
    }
  }
})
