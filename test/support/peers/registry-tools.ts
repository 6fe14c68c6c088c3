import { buildGoProgram } from './build-go-program.ts'

/** Programs of others that read registries, at the versions that `registry-tools/go.mod` names. */
const PACKAGES = {
  crane: 'github.com/google/go-containerregistry/cmd/crane',
  oras: 'oras.land/oras/cmd/oras',
}

/** The path of a program, which is built where it has to be. */
export function buildRegistryTool(name: keyof typeof PACKAGES): Promise<string> {
  return buildGoProgram('registry-tools', PACKAGES[name])
}
