import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

/** What the files of a room may import of the other rooms. `types`: only `import type`. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  oci: [],
  concurrency: [],
  bytes: ['oci', 'concurrency'],
  registry: ['oci', 'bytes', 'concurrency', 'version'],
  tar: [],
  rootfs: ['bytes', 'tar'],
  estargz: ['oci', 'bytes', 'tar', 'rootfs'],
  'embedded-registry': ['oci', 'bytes', 'concurrency'],
  db: ['bytes', 'concurrency'],
  records: ['oci', 'bytes', 'rootfs', 'tar'],
  conversion: ['oci', 'bytes', 'concurrency', 'registry', 'tar', 'rootfs', 'estargz', 'records'],
  cache: ['db', 'oci', 'conversion (types)'],
  jobs: ['db', 'oci', 'concurrency'],
  analysis: ['bytes', 'concurrency', 'conversion', 'jobs', 'oci', 'records'],
  http: ['jobs', 'records', 'oci', 'version', 'analysis (types)', 'bytes (types)', 'cache (types)'],
  cli: ['bytes', 'config', 'wiring', 'stop-signals', 'conversion', 'records', 'oci', 'cache', 'db'],
}

/** Files that may import more than their room. */
const EXCEPTIONS: Record<string, readonly string[]> = {
  'records/image.ts': ['registry'],
  // Knows the codes of all errors.
  'http/error-status.ts': [
    'bytes (types)',
    'concurrency (types)',
    'conversion (types)',
    'db (types)',
    'registry (types)',
    'tar (types)',
  ],
  // Knows which content codings are undone.
  'http/routes/record-upload.ts': ['bytes'],
  'records/store.ts': ['db'],
}

/** What http sees of conversions: how they are asked for, and what they answer. */
const SEEN_BY_HTTP = ['conversion/request.ts', 'conversion/report.ts']

/** Files at the top make things and hand them down; rooms import few of them, by name. */
const TOP = [
  'main.ts',
  'cli.ts',
  'wiring.ts',
  'serve.ts',
  'stores.ts',
  'work.ts',
  'analyze.ts',
  'analyzers.ts',
  'process.ts',
  'role.ts',
  'stop-signals.ts',
  'worker-process.ts',
  'config.ts',
  'config-bounds.ts',
  'version.ts',
]

/** `start`: the file is started as a process or thread of its own. */
type Import = { from: string; to: string; kind: 'code' | 'types' | 'start' }

function sources(folder = SRC): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  )
}

function imports(): Import[] {
  return sources().flatMap((from) => {
    const text = readFileSync(join(SRC, from), 'utf8')
    const found = text.matchAll(/^(?:import|export)\s+(type\s+)?[^;'"]*?from\s+'(\.[^']+)'/gms)
    const urls = text.matchAll(/new URL\('(\.[^']+\.ts)', import\.meta\.url\)/g)
    const target = (path: string) => relative(SRC, join(SRC, dirname(from), path))
    return [
      ...[...found].map(([, types, path = '']) => ({
        from,
        to: target(path),
        kind: types ? ('types' as const) : ('code' as const),
      })),
      ...[...urls].map(([, path = '']) => ({ from, to: target(path), kind: 'start' as const })),
    ]
  })
}

/** The first folder, or the name of a file at the top. */
function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : path.replace(/\.ts$/, '')
}

function isAllowed({ from, to, kind }: Import): boolean {
  const [room, other] = [roomOf(from), roomOf(to)]
  if (room === other || TOP.includes(from)) return true
  if (room === 'http' && SEEN_BY_HTTP.includes(to)) return true
  const allowed = [...(MAY_IMPORT[room] ?? []), ...(EXCEPTIONS[from] ?? [])]
  return allowed.includes(other) || (kind === 'types' && allowed.includes(`${other} (types)`))
}

describe('the rooms', () => {
  it('are all known', () => {
    const rooms = new Set(sources().map((path) => (path.includes('/') ? roomOf(path) : path)))
    expect([...rooms].toSorted()).toEqual([...Object.keys(MAY_IMPORT), ...TOP].toSorted())
  })

  it('import only what they may', () => {
    expect(imports().length).toBeGreaterThan(300)
    const wrong = imports().filter((one) => !isAllowed(one))
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  it('keep the file system, the environment and the network out of the format', () => {
    const pure = sources().filter((path) => ['oci', 'tar', 'rootfs', 'estargz'].includes(roomOf(path)))
    const impure = pure.filter((path) =>
      /from '(node:(fs|net|http|child_process|worker_threads)|undici|pino)/.test(
        readFileSync(join(SRC, path), 'utf8'),
      ),
    )
    expect(impure).toEqual([])
  })

  it('read the environment in one place', () => {
    const readers = sources().filter((path) => /process\.env\b/.test(readFileSync(join(SRC, path), 'utf8')))
    // main.ts reads nothing: it tells threads where compiled sources are cached.
    expect(readers).toEqual(['config.ts', 'main.ts'])
  })

  it('depend on nothing in circles', () => {
    const edges = new Map<string, Set<string>>()
    for (const { from, to, kind } of imports()) {
      if (kind === 'code') edges.set(from, (edges.get(from) ?? new Set()).add(to))
    }
    const done = new Set<string>()
    const circleFrom = (path: string, trail: readonly string[]): string[] | undefined => {
      if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
      if (done.has(path)) return undefined
      for (const next of edges.get(path) ?? []) {
        const circle = circleFrom(next, [...trail, path])
        if (circle) return circle
      }
      done.add(path)
      return undefined
    }
    for (const path of edges.keys()) expect(circleFrom(path, [])).toBeUndefined()
  })
})
