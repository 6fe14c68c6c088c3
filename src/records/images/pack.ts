import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { type Digest, digestOf } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../oci/media-types.ts'
import { type RecordEntry, RecordError, writeRecordFile } from '../model.ts'
import type { Provenance } from '../provenance.ts'

/** The tar entry that a record file image holds (stargz-snapshotter pull request 642). */
export const RECORD_FILE_NAME = 'stargz.record.json'

/** Annotations of ours on the manifest of a record file image. Other readers pass over them. */
export const ENTRIES_ANNOTATION = 'io.record-broker.record.entries'
export const IMAGE_ANNOTATION = 'io.record-broker.record.image'
export const WORKLOAD_ANNOTATION = 'io.record-broker.record.workload'
export const PROFILER_ANNOTATION = 'io.record-broker.record.profiler'
export const PROFILER_VERSION_ANNOTATION = 'io.record-broker.record.profiler-version'
export const PROVENANCE_ANNOTATION = 'io.record-broker.record.provenance'
/** OCI image-spec 1.1, annotations.md. */
export const CREATED_ANNOTATION = 'org.opencontainers.image.created'

/** OCI image-spec 1.1, annotations.md: the name that tools such as `oras pull` write a blob to. */
const TITLE_ANNOTATION = 'org.opencontainers.image.title'
/** The blob is the archive, and says so: nobody takes it for the record file inside. */
const LAYER_TITLE = `${RECORD_FILE_NAME}.tar.gz`

/** Manifests are small: of more records than these only the number is told. */
const MAX_MENTIONED = 100

/** The place of the operating system in a gzip header, and the value for "unknown" (RFC 1952, 2.3.1). */
const GZIP_OS_OFFSET = 9
const GZIP_OS_UNKNOWN = 255

export type PackOptions = {
  /** The manifest that the record image belongs to: that of the profiled image, or of one that was converted. */
  readonly subject?: Descriptor | undefined
  /** The profiled image, as a reference. */
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly profiler?: string | undefined
  readonly profilerVersion?: string | undefined
  /** When the record was made, RFC 3339. */
  readonly created?: string | undefined
  readonly provenance?: Provenance | undefined
  /** Further annotations of the manifest. */
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
 * Makes a record file image: an OCI manifest, a config, and one gzip layer whose only tar entry is the record
 * file. The same record and options give the same bytes.
 * @throws RecordError RECORD_HAS_GLOBS; INVALID_RECORD when there are no entries
 */
export async function packRecordImage(
  entries: readonly RecordEntry[],
  options: PackOptions = {},
): Promise<PackedRecordImage> {
  assertNoGlobs(entries)
  const tar = await tarOfRecord(Buffer.from(writeRecordFile(entries)))
  const layer = blob(OCI_LAYER_GZIP, await deterministicGzip(tar))
  const config = blob(OCI_CONFIG, configOf(digestOf(tar)))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: config.descriptor,
      layers: [{ ...layer.descriptor, annotations: { [TITLE_ANNOTATION]: LAYER_TITLE } }],
      ...(options.subject && { subject: bare(options.subject) }),
      annotations: annotationsOf(entries, options),
    }),
  )
  return { manifest, manifestDescriptor: blob(OCI_MANIFEST, manifest).descriptor, config, layer }
}

/** Fails for what a record file image cannot hold. @throws RecordError RECORD_HAS_GLOBS; INVALID_RECORD */
export function assertNoGlobs(entries: readonly RecordEntry[]): void {
  if (entries.length === 0) throw new RecordError('INVALID_RECORD', 'the record holds no path')
  const glob = entries.find((entry) => entry.glob)
  if (glob === undefined) return
  throw new RecordError(
    'RECORD_HAS_GLOBS',
    `the record has the glob ${JSON.stringify(glob.path)}; a record file image holds paths only, because its ` +
      'readers take them as they stand: list the files instead, or convert with this record without publishing it',
  )
}

async function tarOfRecord(content: Buffer): Promise<Buffer> {
  const archive = pack()
  archive.entry({ name: RECORD_FILE_NAME, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) }, content)
  archive.finalize()
  return buffer(archive)
}

async function deterministicGzip(bytes: Buffer): Promise<Buffer> {
  const packed = await promisify(gzip)(bytes, { level: 9 })
  // zlib writes the system it was built for.
  packed[GZIP_OS_OFFSET] = GZIP_OS_UNKNOWN
  return packed
}

/**
 * The least config that upstream's Go type writes, its line feed included. A record belongs to no platform;
 * amd64 is named because clients that pull an image want one.
 */
function configOf(diffId: Digest): Buffer {
  const rootfs = { type: 'layers', diff_ids: [diffId] }
  return Buffer.from(`${JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs })}\n`)
}

function annotationsOf(entries: readonly RecordEntry[], options: PackOptions): Record<string, string> {
  return {
    ...options.annotations,
    [ENTRIES_ANNOTATION]: String(entries.length),
    ...(options.image !== undefined && { [IMAGE_ANNOTATION]: options.image }),
    ...(options.workload !== undefined && { [WORKLOAD_ANNOTATION]: options.workload }),
    ...(options.profiler !== undefined && { [PROFILER_ANNOTATION]: options.profiler }),
    ...(options.profilerVersion !== undefined && { [PROFILER_VERSION_ANNOTATION]: options.profilerVersion }),
    ...(options.created !== undefined && { [CREATED_ANNOTATION]: options.created }),
    ...(options.provenance && { [PROVENANCE_ANNOTATION]: provenanceText(options.provenance) }),
  }
}

function blob(mediaType: string, bytes: Buffer): PackedBlob {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
}

/** A subject is named by these three alone: what else is known of it differs from one caller to the next. */
function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

/** Ids mean nothing outside of a broker: records are named by their digests. */
function provenanceText({ kind, records, runs, runCount, ...how }: Provenance): string {
  const digests = (mentions: Provenance['records']) =>
    mentions.slice(0, MAX_MENTIONED).map(({ digest }) => digest)
  return JSON.stringify({
    kind,
    ...how,
    records: digests(records),
    runs: digests(runs),
    runCount: runs.length,
  })
}
