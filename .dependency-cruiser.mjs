/**
 * The rooms of the sources, from top to bottom, and what each may import of the rooms below it, types included. A file
 * may import all of its own room, as long as no circle comes of it.
 */
const ROOMS = {
  main: ['cli', 'app'],
  cli: ['app', 'conversion', 'cache', 'records', 'bytes', 'oci', 'db'],
  app: [
    'http',
    'analysis',
    'cache',
    'conversion',
    'records',
    'registry',
    'embedded-registry',
    'jobs',
    'tar',
    'concurrency',
    'bytes',
    'oci',
    'db',
  ],
  http: [
    'analysis',
    'cache',
    'conversion',
    'records',
    'registry',
    'jobs',
    'tar',
    'concurrency',
    'bytes',
    'oci',
    'db',
  ],
  analysis: ['conversion', 'records', 'jobs', 'concurrency', 'bytes', 'oci'],
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
  ],
  records: ['registry', 'rootfs', 'tar', 'bytes', 'oci', 'db'],
  estargz: ['rootfs', 'compression', 'tar', 'bytes', 'oci'],
  registry: ['concurrency', 'bytes', 'oci'],
  'embedded-registry': ['concurrency', 'bytes', 'oci'],
  jobs: ['db', 'concurrency', 'oci'],
  rootfs: ['tar', 'bytes'],
  compression: ['tar', 'bytes', 'oci'],
  tar: [],
  db: ['concurrency', 'bytes'],
  bytes: ['concurrency', 'oci'],
  oci: [],
  concurrency: [],
}

const names = Object.keys(ROOMS)
for (const [room, below] of Object.entries(ROOMS)) {
  for (const other of below) {
    if (names.indexOf(other) <= names.indexOf(room)) throw new Error(`${other} does not lie below ${room}`)
  }
}

/** @param {readonly string[]} rooms */
const within = (rooms) => rooms.map((room) => (room === 'main' ? '^src/main[.]ts$' : `^src/${room}/`))

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Files import each other in a circle. Circles of types count.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...Object.entries(ROOMS).map(([room, below]) => ({
      name: `${room}-imports-down`,
      comment: `${room} may import ${below.join(', ') || 'no other room'}: see .dependency-cruiser.mjs.`,
      severity: 'error',
      from: { path: within([room]), pathNot: '[.]test[.]ts$' },
      to: { path: '^src/', pathNot: within([room, ...below]) },
    })),
    {
      name: 'unknown-room',
      severity: 'error',
      from: { path: '^src/', pathNot: within(names) },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/compression/deflate/wasm/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
}
