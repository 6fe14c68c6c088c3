import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'

const TAGS = [
  { name: 'records', description: 'Start-up records: the files that a container reads while it starts.' },
  { name: 'record images', description: 'Records that are published in registries as record file images.' },
  { name: 'conversions', description: 'Jobs that convert images to eStargz, from registry to registry.' },
  { name: 'verifications', description: 'Jobs that verify eStargz images.' },
  { name: 'images', description: 'Inspection of images.' },
  { name: 'cache', description: 'The cache of conversion results.' },
  { name: 'registry events', description: 'Rules that convert images when they are pushed.' },
  { name: 'service', description: 'Health, readiness and events of the broker.' },
]

type Json = { [key: string]: unknown }
type Document = { paths: Record<string, Json>; components: { schemas: Record<string, unknown> } }

/**
 * Serves an OpenAPI 3.1 document of all routes registered after this call, at `/openapi.json` and `/docs`.
 */
export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Record Broker',
        version,
        description:
          'Stores start-up records of containers, publishes them in registries, and converts images to eStargz with them. Errors are problem documents (RFC 9457).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: TAGS,
      security: [{ token: [] }],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'The value of `RECORD_BROKER_TOKEN`, if it is set.',
          },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (input) => tidy(jsonSchemaTransformObject(input) as unknown as Document) as never,
  })
  await app.register(swaggerUi, { routePrefix: '/docs', indexPrefix: '' })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}

/** Simplifies the generated document for readers. */
function tidy(document: Document): Document {
  const folded = foldInputSchemas(nameWildcards(addRecordBody(document)))
  return nameInputSchemas(dropUnused(folded))
}

/**
 * Renames `XInput` to `X` for schemas that occur only in requests, where no `X` exists to distinguish them
 * from.
 */
function nameInputSchemas(document: Document): Document {
  let text = JSON.stringify(document)
  for (const name of Object.keys(document.components.schemas)) {
    const base = name.replace(/Input$/, '')
    if (base === name || base in document.components.schemas) continue
    text = text
      .replaceAll(`"#/components/schemas/${name}"`, `"#/components/schemas/${base}"`)
      .replaceAll(`"${name}":`, `"${base}":`)
  }
  return JSON.parse(text) as Document
}

/** Describes the body of a record upload. The route streams it, and so cannot declare a schema for it. */
function addRecordBody(document: Document): Document {
  const post = document.paths['/v1/records']?.post as Json | undefined
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

/** Names the wildcard parameter, which matches slashes too: OpenAPI cannot express that. */
function nameWildcards(document: Document): Document {
  const text = JSON.stringify(document.paths)
    .replaceAll('/{*}"', '/{reference}"')
    .replaceAll('"name":"*"', '"name":"reference"')
  return { ...document, paths: JSON.parse(text) }
}

/**
 * Merges `XInput` into `X` for schemas that occur in both requests and responses, if the two differ at most
 * in `additionalProperties`.
 */
function foldInputSchemas(document: Document): Document {
  const { schemas } = document.components
  let pairs = Object.keys(schemas).filter((name) => `${name}Input` in schemas)
  for (let previousCount = -1; previousCount !== pairs.length; ) {
    previousCount = pairs.length
    const fold = inputFolder(pairs)
    pairs = pairs.filter(
      (name) =>
        withoutAdditionalProperties(fold(schemas[name])) ===
        withoutAdditionalProperties(fold(schemas[`${name}Input`])),
    )
  }
  const fold = inputFolder(pairs)
  const folded = new Set(pairs.map((name) => `${name}Input`))
  const merged = Object.entries(schemas).flatMap(([name, schema]): [string, unknown][] => {
    if (folded.has(name)) return []
    return [[name, JSON.parse(fold(pairs.includes(name) ? schemas[`${name}Input`] : schema))]]
  })
  const paths = JSON.parse(fold(document.paths))
  return { ...document, paths, components: { ...document.components, schemas: Object.fromEntries(merged) } }
}

/**
 * Returns a function that writes a schema as JSON, with references to `XInput` replaced by references to `X`.
 */
function inputFolder(pairs: readonly string[]): (schema: unknown) => string {
  return (schema) => {
    let text = JSON.stringify(schema)
    for (const name of pairs) {
      text = text.replaceAll(`"#/components/schemas/${name}Input"`, `"#/components/schemas/${name}"`)
    }
    return text
  }
}

function withoutAdditionalProperties(schema: string): string {
  return schema.replaceAll(/,?"additionalProperties":false/g, '')
}

/** Removes schemas without a reference, repeatedly: removing one may leave others unused. */
function dropUnused(document: Document): Document {
  const schemas = { ...document.components.schemas }
  for (let previousCount = -1; previousCount !== Object.keys(schemas).length; ) {
    previousCount = Object.keys(schemas).length
    const text = JSON.stringify([document.paths, schemas])
    for (const name of Object.keys(schemas)) {
      if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name]
    }
  }
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
  return { ...document, components: { ...document.components, schemas: sorted } }
}
