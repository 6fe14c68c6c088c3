// `npm run pack` builds the package that is published: compiled JavaScript for the oldest supported Node, without the pinned
// Node. It writes `build/record-broker-VERSION.tgz`. npm's own `npm pack` would run no build, since the settings of this
// project forbid scripts of packages.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileSources, writeTypes } from './pack/compile.ts'
import { publishedManifest } from './pack/manifest.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const build = join(root, 'build')
const folder = join(build, 'package')

rmSync(build, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
compileSources(join(root, 'src'), join(folder, 'dist'))
writeTypes(join(root, 'src'), 'client/index.ts', join(folder, 'dist'))
const manifest = publishedManifest(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
cpSync(join(root, 'scripts/pack/record-broker.js'), join(folder, 'bin/record-broker.js'))
for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE']) cpSync(join(root, file), join(folder, file))
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', build, folder], {
  encoding: 'utf8',
})
process.stdout.write(`${join(build, packed.trim())}\n`)
