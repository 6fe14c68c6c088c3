import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { PUBLIC } from '../access/security.ts'
import { tidySchemas } from './component-schemas.ts'
import type { OpenApiDocument } from './document.ts'
import { addHeaders } from './headers.ts'
import { shareResponses } from './shared-responses.ts'
import { WEBHOOKS } from './webhooks.ts'

const TAGS = [
  { name: 'records', description: 'Start-up records: the files that a container reads while it starts.' },
  { name: 'record images', description: 'Records that are published in registries as record file images.' },
  { name: 'conversions', description: 'Jobs that convert images to eStargz, from registry to registry.' },
  { name: 'verifications', description: 'Jobs that verify eStargz images.' },
  { name: 'images', description: 'Inspection of images.' },
  { name: 'cache', description: 'The cache of conversion results.' },
  { name: 'registry events', description: 'Rules that convert images when they are pushed.' },
  { name: 'access', description: 'Projects and API tokens.' },
  { name: 'service', description: 'Health, readiness and events of the broker.' },
]

const INFO = {
  title: 'Record Broker',
  description:
    'Stores start-up records of containers, publishes them in registries, and converts images to eStargz with them. Errors are problem documents (RFC 9457).',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
}

/**
 * Serves an OpenAPI 3.1 document of all routes registered after this call, at `/openapi.json` and `/docs`.
 * @param publicUrl the name of the broker to the outside; default: the document names no host
 */
export async function registerOpenApi(
  app: FastifyInstance,
  { version, publicUrl }: { readonly version: string; readonly publicUrl?: URL | undefined },
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { ...INFO, version },
      servers: [{ url: publicUrl?.origin ?? '/', description: 'The broker.' }],
      tags: TAGS,
      security: [{ token: [] }],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description:
              'The value of `RECORD_BROKER_TOKEN`, an API token, or a token of a trusted issuer. Each operation names the scope that it needs.',
          },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (input) =>
      completeDocument(jsonSchemaTransformObject(input) as unknown as OpenApiDocument) as never,
  })
  await app.register(async (pages) => {
    // Routes of the plugin, which cannot declare this themselves.
    pages.addHook('onRoute', (route) => {
      route.schema = { ...route.schema, security: PUBLIC }
    })
    await pages.register(swaggerUi, { routePrefix: '/docs', indexPrefix: '' })
  })
  app.get('/openapi.json', { schema: { hide: true, security: PUBLIC } }, async () => app.swagger())
}

/** Adds what no route declares: headers, shared errors, webhooks, and what OpenAPI cannot derive from a route. */
function completeDocument(generated: OpenApiDocument): OpenApiDocument {
  const named = nameParameters(addRecordBody({ ...generated, webhooks: WEBHOOKS }))
  return tidySchemas(addHeaders(shareResponses(named)))
}

/** Describes the body of a record upload. The route streams it, and so cannot declare a schema for it. */
function addRecordBody(document: OpenApiDocument): OpenApiDocument {
  const post = document.paths['/v1/records']?.post
  if (!post) return document
  const schema = { type: 'string' }
  post.requestBody = {
    required: true,
    description: 'The record as the profiler wrote it.',
    content: {
      'application/x-ndjson': { schema, example: '{"path":"usr/bin/app"}\n{"path":"etc/app.conf"}\n' },
      'text/plain': { schema, example: '# what app opens\n/usr/bin/app\n/etc/app.conf\n/usr/lib/**/*.so\n' },
    },
  }
  return document
}

/**
 * Names the wildcard parameter, which matches slashes too: OpenAPI cannot express that. Routes read headers in
 * lower case; readers of the document know them by their usual names.
 */
function nameParameters(document: OpenApiDocument): OpenApiDocument {
  const text = JSON.stringify(document.paths)
    .replaceAll('/{*}"', '/{reference}"')
    .replaceAll('"name":"*"', '"name":"reference"')
    .replaceAll('"name":"last-event-id"', '"name":"Last-Event-ID"')
  return { ...document, paths: JSON.parse(text) }
}
