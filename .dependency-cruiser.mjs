/**
 * The import rules of the sources. `npm run check` applies them, and test/import-rules.test.ts shows that they catch what they
 * are for. ROOMS lists the folders of src/ from top to bottom. Each may import its own files and those of the listed rooms
 * below it. Type imports count.
 */
const ROOMS = {
  main: ['cli', 'app'],
  cli: ['app', 'cache', 'conversion', 'records', 'access', 'db', 'bytes', 'oci', 'client'],
  app: [
    'http',
    'metrics',
    'analysis',
    'catalogue',
    'cache',
    'conversion',
    'records',
    'access',
    'registry',
    'embedded-registry',
    'jobs',
    'tar',
    'db',
    'bytes',
    'oci',
    'concurrency',
    'tracing',
  ],
  http: [
    'metrics',
    'analysis',
    'catalogue',
    'cache',
    'conversion',
    'records',
    'access',
    'registry',
    'embedded-registry',
    'jobs',
    'tar',
    'db',
    'bytes',
    'oci',
    'concurrency',
    'tracing',
  ],
  metrics: ['analysis', 'cache', 'conversion', 'access', 'registry', 'jobs', 'db', 'bytes'],
  analysis: [
    'catalogue',
    'conversion',
    'records',
    'access',
    'jobs',
    'bytes',
    'oci',
    'concurrency',
    'tracing',
  ],
  catalogue: ['conversion', 'records', 'access', 'registry', 'db', 'bytes', 'oci', 'concurrency'],
  cache: ['conversion', 'db', 'oci'],
  conversion: [
    'records',
    'estargz',
    'registry',
    'rootfs',
    'compression',
    'tar',
    'bytes',
    'oci',
    'concurrency',
    'tracing',
  ],
  records: ['registry', 'rootfs', 'tar', 'db', 'bytes', 'oci'],
  access: ['registry', 'db', 'bytes', 'oci', 'concurrency'],
  estargz: ['rootfs', 'compression', 'tar', 'bytes', 'oci'],
  registry: ['bytes', 'oci', 'concurrency', 'tracing'],
  'embedded-registry': ['bytes', 'oci', 'concurrency'],
  jobs: ['db', 'concurrency', 'tracing'],
  rootfs: ['tar', 'bytes'],
  compression: ['tar', 'bytes', 'oci'],
  tar: [],
  db: ['bytes', 'concurrency', 'tracing'],
  bytes: ['oci', 'concurrency'],
  oci: [],
  concurrency: [],
  tracing: [],
  client: [],
}

const names = Object.keys(ROOMS)
for (const [room, below] of Object.entries(ROOMS)) {
  for (const other of below) {
    if (names.indexOf(other) <= names.indexOf(room)) throw new Error(`${other} is not below ${room}`)
  }
}

/** @param {readonly string[]} rooms */
const filesOf = (rooms) => rooms.map((room) => (room === 'main' ? '^src/main[.]ts$' : `^src/${room}/`))
/** Tests may use any room, as they wire up what they test. */
const TESTS = '[.]test[.]ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Files import each other in a circle. Move what they share into a file below both.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...Object.entries(ROOMS).map(([room, below]) => ({
      name: `${room}-imports-down`,
      comment: `${room} may import ${below.join(', ') || 'no other room'}.`,
      severity: 'error',
      from: { path: filesOf([room]), pathNot: TESTS },
      to: { path: '^src/', pathNot: filesOf([room, ...below]) },
    })),
    {
      name: 'known-rooms',
      comment: 'A new folder of src/ needs a place in ROOMS.',
      severity: 'error',
      from: { path: '^src/', pathNot: filesOf(names) },
      to: {},
    },
    {
      name: 'conversions-behind-their-documents',
      comment: 'HTTP knows conversions by their requests and reports. Analyzers and workers run them.',
      severity: 'error',
      from: { path: filesOf(['http']), pathNot: TESTS },
      to: {
        path: filesOf(['conversion']),
        pathNot: '^src/conversion/(request|report|report-names|errors)[.]ts$',
      },
    },
    {
      name: 'pure-formats',
      comment: 'Formats and algorithms know no file system, network, process or thread.',
      severity: 'error',
      from: { path: filesOf(['oci', 'tar', 'compression', 'rootfs', 'estargz']), pathNot: TESTS },
      to: {
        path: '^(node:)?(fs|net|http|https|child_process|worker_threads)(/|$)|node_modules/(undici|pino)/',
      },
    },
    {
      name: 'client-runs-everywhere',
      comment: 'The client runs in browsers: it has no module of Node, and no package but openapi-fetch.',
      severity: 'error',
      from: { path: filesOf(['client']), pathNot: TESTS },
      to: { pathNot: ['^src/client/', 'node_modules/openapi-(fetch|typescript-helpers)/'] },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/compression/deflate/wasm/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['node', 'import'],
    },
  },
}
