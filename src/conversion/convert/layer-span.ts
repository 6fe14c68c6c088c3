import type { Descriptor } from '../../oci/documents.ts'
import { traced } from '../../tracing/spans.ts'
import type { LayerOutcome } from '../reuse/converted-layer.ts'

/** Runs the conversion of a layer as a span that says how it was converted, and from how many bytes to how many. */
export function withLayerSpan(
  name: 'convert layer' | 'arrange layer',
  source: Descriptor,
  convert: () => Promise<LayerOutcome>,
): Promise<LayerOutcome> {
  return traced(name, { attributes: sourceAttributes(source) }, async (span) => {
    const outcome = await convert()
    span.setAttributes({
      'record_broker.layer.action': outcome.action,
      'record_broker.layer.digest': outcome.layer.digest,
      'record_broker.layer.size': outcome.layer.size,
    })
    return outcome
  })
}

/** Runs the first step of a conversion with a record as a span: `split` the source, or find it `cached`. */
export function withIndexSpan<Indexed extends { readonly members: { readonly kind: string } }>(
  source: Descriptor,
  index: () => Promise<Indexed>,
): Promise<Indexed> {
  return traced('index layer', { attributes: sourceAttributes(source) }, async (span) => {
    const indexed = await index()
    span.setAttribute('record_broker.layer.members', indexed.members.kind)
    return indexed
  })
}

/**
 * Runs an upload as a span.
 * @param method `stream`: while the layer is produced; `spool`: from a file, as the registry needs its size first
 */
export function withUploadSpan<Blob extends { readonly digest: string; readonly size: number }>(
  method: 'stream' | 'spool',
  upload: () => Promise<Blob>,
): Promise<Blob> {
  return traced('upload layer', { attributes: { 'record_broker.upload.method': method } }, async (span) => {
    const blob = await upload()
    span.setAttributes({
      'record_broker.upload.bytes': blob.size,
      'record_broker.layer.digest': blob.digest,
    })
    return blob
  })
}

function sourceAttributes({ digest, size }: Descriptor) {
  return { 'record_broker.layer.source_digest': digest, 'record_broker.layer.source_size': size }
}
