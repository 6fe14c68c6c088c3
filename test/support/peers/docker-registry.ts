import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { request } from 'undici'

export type DockerRegistryOptions = {
  /** Whether manifests and blobs can be deleted. The default is true. */
  readonly deletes?: boolean
}

/**
 * Starts Debian's docker-registry (distribution 2.8) on a free port of 127.0.0.1, with its data in a
 * temporary folder. Resolves when the registry responds. `stop` kills the process and removes the folder.
 */
export async function startDockerRegistry(
  options: DockerRegistryOptions = {},
): Promise<{ host: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-registry-'))
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder, 'data') },
      delete: { enabled: options.deletes ?? true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    // The system selects the port, which the log contains.
    http: { addr: '127.0.0.1:0', secret: 'test' },
  }
  // JSON is valid YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const host = await readAddress(child)
    const { statusCode, body } = await request(`http://${host}/v2/`)
    await body.dump()
    if (statusCode !== 200) throw new Error(`docker-registry responds with ${statusCode}`)
    return { host, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Reads the log until it contains the address of the registry. */
function readAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines: string[] = []
    const parse = (line: string) => {
      const host = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1]
      if (host !== undefined) resolve(host)
      else if (lines.length < 20) lines.push(line)
    }
    for (const output of [child.stdout, child.stderr]) {
      if (output) createInterface({ input: output }).on('line', parse)
    }
    child.once('error', reject)
    child.once('exit', (status) =>
      reject(new Error(`docker-registry exited with ${status}:\n${lines.join('\n')}`)),
    )
  })
}
