import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { type Digest, digestOf } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts'
import { RecordError } from '../errors.ts'
import { type RecordEntry, writeRecordFile } from '../model.ts'
import type { Provenance } from '../provenance.ts'

/** The name of the tar entry in a record file image (stargz-snapshotter pull request 642). */
export const RECORD_FILE_NAME = 'stargz.record.json'

/** Our annotations on the manifest of a record file image; other readers ignore them. */
export const ENTRIES_ANNOTATION = 'io.record-broker.record.entries'
export const IMAGE_ANNOTATION = 'io.record-broker.record.image'
export const WORKLOAD_ANNOTATION = 'io.record-broker.record.workload'
export const PROFILER_ANNOTATION = 'io.record-broker.record.profiler'
export const PROFILER_VERSION_ANNOTATION = 'io.record-broker.record.profiler-version'
const PROVENANCE_ANNOTATION = 'io.record-broker.record.provenance'
/** OCI image-spec 1.1, annotations.md. */
export const CREATED_ANNOTATION = 'org.opencontainers.image.created'

/** OCI image-spec 1.1, annotations.md: the name that tools such as `oras pull` write a blob to. */
const TITLE_ANNOTATION = 'org.opencontainers.image.title'
/** The title shows that the blob is an archive, and not the record file in it. */
const LAYER_TITLE = `${RECORD_FILE_NAME}.tar.gz`

/** Bounds the digests of source records and of runs in the manifest, because manifests are small. */
const MAX_MENTIONED = 100

/** The offset of the operating system in a gzip header, and the value for "unknown" (RFC 1952, 2.3.1). */
const GZIP_OS_OFFSET = 9
const GZIP_OS_UNKNOWN = 255

export type PackOptions = {
  /** The manifest that the record image refers to: that of the profiled image, or of a converted one. */
  readonly subject?: Descriptor | undefined
  /** The profiled image, as a reference. */
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly profiler?: string | undefined
  readonly profilerVersion?: string | undefined
  /** When the record was created, RFC 3339. */
  readonly createdAt?: string | undefined
  readonly provenance?: Provenance | undefined
  /** Additional annotations of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

export type PackedBlob = { readonly bytes: Buffer; readonly descriptor: Descriptor }

export type PackedRecordImage = {
  readonly manifest: Buffer
  readonly manifestDescriptor: Descriptor
  readonly config: PackedBlob
  readonly layer: PackedBlob
}

/**
 * Packs a record file image: an OCI manifest, a config, and one gzip layer whose only tar entry is the record
 * file. The same record and options result in the same bytes.
 * @throws RecordError RECORD_HAS_GLOBS; INVALID_RECORD if there are no entries
 */
export async function packRecordImage(
  entries: readonly RecordEntry[],
  options: PackOptions = {},
): Promise<PackedRecordImage> {
  assertNoGlobs(entries)
  const tar = await createTar(Buffer.from(writeRecordFile(entries)))
  const layer = toBlob(OCI_LAYER_GZIP, await deterministicGzip(tar))
  const config = toBlob(OCI_CONFIG, createConfig(digestOf(tar)))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: [{ ...layer.descriptor, annotations: { [TITLE_ANNOTATION]: LAYER_TITLE } }],
      ...(options.subject && { subject: toBareDescriptor(options.subject) }),
      annotations: createAnnotations(entries, options),
    }),
  )
  return { manifest, manifestDescriptor: toBlob(OCI_MANIFEST, manifest).descriptor, config, layer }
}

/**
 * Asserts that a record file image can hold a record.
 * @throws RecordError RECORD_HAS_GLOBS; INVALID_RECORD
 */
export function assertNoGlobs(entries: readonly RecordEntry[]): void {
  if (entries.length === 0) throw new RecordError('INVALID_RECORD', 'the record has no path')
  const glob = entries.find((entry) => entry.glob)
  if (glob === undefined) return
  throw new RecordError(
    'RECORD_HAS_GLOBS',
    `the record has the glob ${JSON.stringify(glob.path)}, but a record file image may only have literal paths, because ` +
      'its readers do not expand globs: list the files instead, or convert with this record without publishing it',
  )
}

async function createTar(content: Buffer): Promise<Buffer> {
  const archive = pack()
  archive.entry({ name: RECORD_FILE_NAME, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) }, content)
  archive.finalize()
  return buffer(archive)
}

async function deterministicGzip(bytes: Buffer): Promise<Buffer> {
  const compressed = await promisify(gzip)(bytes, { level: 9 })
  // zlib writes the operating system that it was built for.
  compressed[GZIP_OS_OFFSET] = GZIP_OS_UNKNOWN
  return compressed
}

/**
 * Creates the minimal config as upstream's Go type writes it, with a line feed. A record does not depend on a
 * platform; amd64 is named because clients that pull an image require one.
 */
function createConfig(diffId: Digest): Buffer {
  const rootfs = { type: 'layers', diff_ids: [diffId] }
  return Buffer.from(`${JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs })}\n`)
}

function createAnnotations(entries: readonly RecordEntry[], options: PackOptions): Record<string, string> {
  return {
    ...options.annotations,
    [ENTRIES_ANNOTATION]: String(entries.length),
    ...(options.image !== undefined && { [IMAGE_ANNOTATION]: options.image }),
    ...(options.workload !== undefined && { [WORKLOAD_ANNOTATION]: options.workload }),
    ...(options.profiler !== undefined && { [PROFILER_ANNOTATION]: options.profiler }),
    ...(options.profilerVersion !== undefined && { [PROFILER_VERSION_ANNOTATION]: options.profilerVersion }),
    ...(options.createdAt !== undefined && { [CREATED_ANNOTATION]: options.createdAt }),
    ...(options.provenance && { [PROVENANCE_ANNOTATION]: formatProvenance(options.provenance) }),
  }
}

function toBlob(mediaType: string, bytes: Buffer): PackedBlob {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
}

/** Keeps only these fields of a subject, because others would make the bytes depend on the caller. */
function toBareDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

/** Names records by digest, because ids mean nothing outside of a broker. */
function formatProvenance({ kind, records, runs, runCount, ...details }: Provenance): string {
  const digestsOf = (mentions: Provenance['records']) =>
    mentions.slice(0, MAX_MENTIONED).map(({ digest }) => digest)
  return JSON.stringify({
    kind,
    ...details,
    records: digestsOf(records),
    runs: digestsOf(runs),
    runCount,
  })
}
