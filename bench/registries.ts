import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBroker } from '../scripts/quickstart/broker.ts'
import { startDockerRegistry } from '../test/support/peers/docker-registry.ts'
import { findProgram } from '../test/support/peers/peers.ts'

const HAS_DOCKER_REGISTRY = findProgram('docker-registry') !== undefined

/** The kind of the registries, for the report. */
export const REGISTRY_NAME = HAS_DOCKER_REGISTRY ? 'docker-registry' : 'the embedded registry'

/** An empty registry in a child process, with its data in a temporary folder until it is disposed of. */
export class BenchRegistry implements AsyncDisposable {
  /** `127.0.0.1:PORT`, as in references. */
  readonly host: string
  readonly #stop: () => Promise<void>

  private constructor(host: string, stop: () => Promise<void>) {
    this.host = host
    this.#stop = stop
  }

  static async start(): Promise<BenchRegistry> {
    if (HAS_DOCKER_REGISTRY) {
      const { host, stop } = await startDockerRegistry()
      return new BenchRegistry(host, stop)
    }
    const data = await mkdtemp(join(tmpdir(), 'broker-'))
    const broker = await startBroker(data)
    return new BenchRegistry(broker.host, async () => {
      await broker.stop()
      await rm(data, { recursive: true, force: true })
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop()
  }
}
