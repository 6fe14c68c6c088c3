/** The names that OCI images give to architectures that Node names otherwise (Go's `GOARCH`). */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }

/** Returns the platform of images that run on this machine, such as `linux/amd64`. */
export function hostPlatform(): string {
  return `linux/${ARCHITECTURES[process.arch] ?? process.arch}`
}
