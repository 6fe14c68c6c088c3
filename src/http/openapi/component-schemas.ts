import type { OpenApiDocument as Document } from './document.ts'

/** Simplifies the schemas of the generated document for readers. */
export function tidySchemas(document: Document): Document {
  return nameInputSchemas(dropUnused(foldInputSchemas(document)))
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

/** Removes schemas without a reference, repeatedly: removing one may leave others unused. */
function dropUnused(document: Document): Document {
  const schemas = { ...document.components.schemas }
  for (let previousCount = -1; previousCount !== Object.keys(schemas).length; ) {
    previousCount = Object.keys(schemas).length
    const text = JSON.stringify([
      { ...document, components: { ...document.components, schemas: {} } },
      schemas,
    ])
    for (const name of Object.keys(schemas)) {
      if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name]
    }
  }
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
  return { ...document, components: { ...document.components, schemas: sorted } }
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
