// Converts real layers, registry to registry, and prints what that costs against decompressing and hashing them, and
// against ctr-remote where it is installed. Everything is measured in one run; ratios are what counts.
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startBroker } from '../scripts/quickstart/broker.ts'
import { Tally } from '../src/bytes/tally.ts'
import type { ConversionReport } from '../src/conversion/report.ts'
import type { Descriptor } from '../src/oci/documents.ts'
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../src/oci/media-types.ts'
import { RegistryClient } from '../src/registry/client.ts'
import type { Repository } from '../src/registry/repository.ts'
import { run } from '../test/support/command.ts'
import { Containerd } from '../test/support/containerd.ts'
import { which } from '../test/support/peers.ts'
import { type BenchLayer, benchLayers } from './layers.ts'
import { measureNode, measureShell, type Used } from './measure.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
/** One file out of so many is recorded. */
const RECORDED_EACH = 100

type Row = { readonly name: string; readonly used: Used; readonly bytes?: number }

const folder = await mkdtemp(join(tmpdir(), 'record-broker-bench-'))
try {
  const layers = await benchLayers()
  const broker = await startBroker(join(folder, 'data'))
  try {
    await using client = new RegistryClient({ plainHttp: [broker.host] })
    await pushLayers(client.repository({ host: broker.host, repository: 'bench' }), layers)
    await print(layers, await measureAll(broker.host, layers))
  } finally {
    await broker.stop()
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function measureAll(host: string, layers: readonly BenchLayer[]): Promise<Row[]> {
  const packed = layers.map((layer) => layer.packed)
  const hashing = 'for layer; do gzip -dc "$layer" | sha256sum; done'
  const rows: Row[] = [{ name: 'gzip -dc \\| sha256sum', used: await measureShell(hashing, ...packed) }]
  const record = join(folder, 'record')
  await writeFile(record, await recordOf(layers))
  for (const [name, tag, ...options] of [
    ['convert', 'plain'],
    ['convert with a record', 'recorded', '--record', record],
  ] as const) {
    const target = `${host}/bench:${tag}`
    const common = [...options, '--plain-http', host, '--json']
    const { used, output } = await measureNode(MAIN, 'convert', `${host}/bench:source`, target, ...common)
    rows.push({ name, used, bytes: (JSON.parse(output) as ConversionReport).size })
  }
  if (which('ctr-remote') && which('containerd') && which('skopeo')) rows.push(await ctrRemote(host, 6))
  return rows
}

/** The other tool converts from and to its own content store: no registry counts. */
async function ctrRemote(host: string, level: number): Promise<Row> {
  await using containerd = await Containerd.start()
  const archive = join(folder, 'source.tar')
  const source = `${host}/bench:source`
  await run('skopeo', 'copy', '-q', '--src-tls-verify=false', `docker://${source}`, `oci-archive:${archive}`)
  await containerd.ctr('image', 'import', '--no-unpack', '--index-name', source, archive)
  const socket = `${containerd.folder}/containerd.sock`
  const options = `--oci --estargz --estargz-compression-level ${level}`
  const convert = `ctr-remote --address "$1" --namespace test image convert ${options} "$2" "$3"`
  const used = await measureShell(convert, socket, source, `${host}/bench:other`)
  return { name: `ctr-remote image convert, level ${level}`, used }
}

async function recordOf(layers: readonly BenchLayer[]): Promise<string> {
  const lists = await Promise.all(layers.map((layer) => run('tar', '-tf', layer.plain)))
  const files = lists.flatMap((list) => list.split('\n').filter((name) => name !== '' && !name.endsWith('/')))
  const recorded = files.filter((_, i) => i % RECORDED_EACH === 0)
  return recorded.map((path) => `${JSON.stringify({ path })}\n`).join('')
}

async function pushLayers(repository: Repository, layers: readonly BenchLayer[]): Promise<void> {
  const descriptors: Descriptor[] = []
  const diffIds: string[] = []
  for (const { plain, packed } of layers) {
    const blob = await tallied(packed)
    await repository.pushBlob(blob, () => createReadStream(packed))
    descriptors.push({ mediaType: OCI_LAYER_GZIP, ...blob })
    diffIds.push((await tallied(plain)).digest)
  }
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }
  const place = await repository.pushBytes(Buffer.from(JSON.stringify(config)))
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, ...place },
    layers: descriptors,
  }
  await repository.putManifest(Buffer.from(JSON.stringify(manifest)), OCI_MANIFEST, 'source')
}

async function tallied(path: string): Promise<ReturnType<Tally['finish']>> {
  const tally = new Tally()
  for await (const bytes of createReadStream(path)) tally.add(bytes)
  return tally.finish()
}

async function print(layers: readonly BenchLayer[], rows: readonly Row[]): Promise<void> {
  const [processor] = cpus()
  console.log(`${cpus().length} cores, ${processor?.model}, Node ${process.versions.node}\n`)
  for (const { name, plain, packed } of layers) {
    const [before, after] = [await stat(plain), await stat(packed)]
    console.log(`${name}: ${megabytes(before.size)} plain, ${megabytes(after.size)} with gzip 6`)
  }
  const base = rows[0]?.used ?? { cpu: 1, wall: 1 }
  console.log('\n| | CPU s | CPU ratio | wall s | wall ratio | peak RSS | bytes out |')
  console.log('|---|---:|---:|---:|---:|---:|---:|')
  for (const { name, used, bytes } of rows) {
    const cells = [
      name,
      used.cpu.toFixed(1),
      (used.cpu / base.cpu).toFixed(2),
      used.wall.toFixed(1),
      (used.wall / base.wall).toFixed(2),
      used.rss === undefined ? '' : megabytes(used.rss),
      bytes === undefined ? '' : megabytes(bytes),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
