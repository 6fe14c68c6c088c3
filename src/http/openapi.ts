import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'

const TAGS = [
  { name: 'records', description: 'What containers read at start-up, as profilers saw it.' },
  { name: 'record images', description: 'Records in registries, as record file images.' },
  { name: 'conversions', description: 'Jobs that make eStargz images, registry to registry.' },
  { name: 'verifications', description: 'Jobs that check eStargz images.' },
  { name: 'images', description: 'What images say of themselves.' },
  { name: 'cache', description: 'What was converted before, and is remembered.' },
  { name: 'registry events', description: 'What is converted when it is pushed.' },
  { name: 'service', description: 'The broker itself.' },
]

type Json = { [key: string]: unknown }
type Document = { paths: Record<string, Json>; components: { schemas: Record<string, unknown> } }

/** Makes the OpenAPI 3.1 document of all routes that are registered after this, at `/openapi.json` and `/docs`. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Record Broker',
        version,
        description:
          'Takes start-up records of containers, publishes them in registries, and converts images to eStargz with them. Errors are problem documents (RFC 9457).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: TAGS,
      security: [{ token: [] }],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'RECORD_BROKER_TOKEN, where it is set.' },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (input) => tidy(jsonSchemaTransformObject(input) as unknown as Document) as never,
  })
  await app.register(swaggerUi, { routePrefix: '/docs', indexPrefix: '' })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}

/** Makes the generated document one that people read. */
function tidy(document: Document): Document {
  const renamed = foldPairs(nameWildcards(addRecordBody(document)))
  return nameInputs(dropUnused(renamed))
}

/** What is used in requests alone has defaults there, and need not be told from what it is with them. */
function nameInputs(document: Document): Document {
  let text = JSON.stringify(document)
  for (const name of Object.keys(document.components.schemas)) {
    const bare = name.replace(/Input$/, '')
    if (bare === name || bare in document.components.schemas) continue
    text = text
      .replaceAll(`"#/components/schemas/${name}"`, `"#/components/schemas/${bare}"`)
      .replaceAll(`"${name}":`, `"${bare}":`)
  }
  return JSON.parse(text) as Document
}

/** The uploaded record is a stream to the route, so that no schema of its body can be given there. */
function addRecordBody(document: Document): Document {
  const post = document.paths['/v1/records']?.post as Json | undefined
  if (!post) return document
  const schema = { type: 'string' }
  post.requestBody = {
    required: true,
    description: 'The record, as the profiler wrote it.',
    content: {
      'application/x-ndjson': { schema, example: '{"path":"usr/bin/app"}\n{"path":"etc/app.conf"}\n' },
      'text/plain': { schema, example: '# what app opens\n/usr/bin/app\n/etc/app.conf\n/usr/lib/**/*.so\n' },
    },
  }
  return document
}

/** A wildcard parameter takes the rest of the path, slashes included; OpenAPI has no word for that. */
function nameWildcards(document: Document): Document {
  const text = JSON.stringify(document.paths)
    .replaceAll('/{*}"', '/{reference}"')
    .replaceAll('"name":"*"', '"name":"reference"')
  return { ...document, paths: JSON.parse(text) }
}

/**
 * A schema that is used in requests and in responses comes as `X` and `XInput`. Where they differ at most in whether
 * further properties may come, `X` serves both.
 */
function foldPairs(document: Document): Document {
  const { schemas } = document.components
  let pairs = Object.keys(schemas).filter((name) => `${name}Input` in schemas)
  for (let before = -1; before !== pairs.length; ) {
    before = pairs.length
    const fold = folder(pairs)
    pairs = pairs.filter((name) => open(fold(schemas[name])) === open(fold(schemas[`${name}Input`])))
  }
  const fold = folder(pairs)
  const folded = new Set(pairs.map((name) => `${name}Input`))
  const merged = Object.entries(schemas).flatMap(([name, schema]): [string, unknown][] => {
    if (folded.has(name)) return []
    return [[name, JSON.parse(fold(pairs.includes(name) ? schemas[`${name}Input`] : schema))]]
  })
  const paths = JSON.parse(fold(document.paths))
  return { ...document, paths, components: { ...document.components, schemas: Object.fromEntries(merged) } }
}

/** As text, with references to the second of each pair made into ones to the first. */
function folder(pairs: readonly string[]): (schema: unknown) => string {
  return (schema) => {
    let text = JSON.stringify(schema)
    for (const name of pairs) {
      text = text.replaceAll(`"#/components/schemas/${name}Input"`, `"#/components/schemas/${name}"`)
    }
    return text
  }
}

function open(schema: string): string {
  return schema.replaceAll(/,?"additionalProperties":false/g, '')
}

function dropUnused(document: Document): Document {
  const schemas = { ...document.components.schemas }
  for (let before = -1; before !== Object.keys(schemas).length; ) {
    before = Object.keys(schemas).length
    const text = JSON.stringify([document.paths, schemas])
    for (const name of Object.keys(schemas)) {
      if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name]
    }
  }
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
  return { ...document, components: { ...document.components, schemas: sorted } }
}
