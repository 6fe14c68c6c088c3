import { formatReference, parseReference, type Reference } from '../../oci/reference.ts'

const PLACEHOLDER = /\{([^{}]*)\}/g
const SAMPLE: Reference = parseReference('registry.example:5000/team/app:1.0')

function placeholderValues(image: Reference): Readonly<Record<string, string>> {
  return {
    host: image.host,
    repository: image.repository,
    name: image.repository.slice(image.repository.lastIndexOf('/') + 1),
    tag: image.tag ?? 'latest',
  }
}

/**
 * Expands the target template of a rule for an image. Unknown placeholders remain as they are.
 * @throws InvalidReferenceError if the result is not a reference
 */
export function expandTarget(template: string, image: Reference): string {
  const values = placeholderValues(image)
  const text = template.replace(PLACEHOLDER, (placeholder, name: string) => values[name] ?? placeholder)
  parseReference(text)
  return text
}

/** Whether the template expands to a reference with a tag and without a digest. */
export function isTargetTemplate(template: string): boolean {
  const target = sampleTarget(template)
  return target?.tag !== undefined && target.digest === undefined
}

/** Whether the template expands to the image itself. */
export function isSourceTemplate(template: string): boolean {
  const target = sampleTarget(template)
  return target !== undefined && formatReference(target) === formatReference(SAMPLE)
}

/** The target of a sample image; undefined if the template does not expand to a reference. */
function sampleTarget(template: string): Reference | undefined {
  try {
    return parseReference(expandTarget(template, SAMPLE))
  } catch {
    return undefined
  }
}
