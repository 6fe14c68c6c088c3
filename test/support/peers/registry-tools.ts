import { buildGoProgram } from './build-go-program.ts'

/** Registry clients of other projects, at the versions in `registry-tools/go.mod`. */
const PACKAGES = {
  crane: 'github.com/google/go-containerregistry/cmd/crane',
  oras: 'oras.land/oras/cmd/oras',
}

/** Returns the path of a registry client, and builds it first if needed. */
export function buildRegistryTool(name: keyof typeof PACKAGES): Promise<string> {
  return buildGoProgram('registry-tools', PACKAGES[name])
}
