/** The oldest Node that runs the compiled package: undici 8 needs it. `record-broker.js` refuses older ones. */
const OLDEST_NODE = '22.19'

type Manifest = Readonly<Record<string, unknown>>

/**
 * Returns the manifest of the published package for that of the sources: without the pinned Node, development
 * dependencies and scripts.
 */
export function publishedManifest({ name, version, description, license, dependencies }: Manifest): Manifest {
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines: { node: `>=${OLDEST_NODE}` },
    bin: { 'record-broker': 'bin/record-broker.js' },
    exports: {
      './client': { types: './dist/client/index.d.ts', default: './dist/client/index.js' },
      './package.json': './package.json',
    },
    files: ['bin', 'dist', 'CHANGELOG.md'],
    dependencies,
  }
}
