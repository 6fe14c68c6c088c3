import { execFileSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { RegistryClient } from '../../../src/registry/client.ts'
import type { BrokerProcess } from '../broker-process.ts'
import { buildTar, dir, file } from '../images/build-tar.ts'
import { pushImage } from '../images/push-image.ts'

/** What the names of tags that somebody makes from an image end with. */
const MADE = /-(esgz|zstd|estargz|esgztoc)$/
const RECORD_TAG = /^record-(.+)-([a-z]+)$/
/** Commands that use a record image which was published before, and those that publish one. */
const MATCHES = /--record-match\b|"match"/
const PUBLISHES = /--publish\b|\bpublish \S|publish=/
/** The references in a command that the command makes. */
const TARGETS = [/\b(?:convert|conversion create) (?:-\S+ )*\S+ ([^\s-]\S*)/g, /"target": *"([^"]+)"/g]

/** A reference with a tag, in its parts. */
type Tagged = { readonly host: string; readonly repository: string; readonly tag: string }

/** The images that the documents name, in registries that they name. They come into being when they are needed. */
export class SampleImages implements AsyncDisposable {
  readonly #broker: BrokerProcess
  readonly #client: RegistryClient
  readonly #pattern: RegExp

  constructor(broker: BrokerProcess, hosts: readonly string[]) {
    this.#broker = broker
    this.#client = new RegistryClient({ plainHttp: hosts })
    const names = hosts.map((host) => host.replaceAll('.', '\\.')).join('|')
    this.#pattern = new RegExp(`(${names})/(?!v[12]/)([a-z0-9][a-z0-9._/-]*):(\\w[\\w.-]*)`, 'g')
  }

  /**
   * Makes the images that a command or a request needs.
   * @param standsAlone whether the command does not follow others: the tags that it will make are removed
   */
  async prepare(text: string, standsAlone = false): Promise<void> {
    const targets = TARGETS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, target = '']) => target))
    if (standsAlone && PUBLISHES.test(text)) await this.#removeRecordImages()
    for (const reference of this.#referencesIn(text)) {
      const isTarget = targets.includes(`${reference.host}/${reference.repository}:${reference.tag}`)
      if (!isTarget) await this.#ensure(reference)
      else if (standsAlone) await this.#remove(reference)
      if (!isTarget && MATCHES.test(text))
        await this.#ensure({ ...reference, tag: `record-${reference.tag}-serve` })
    }
  }

  /** The digest of an image. */
  async digestOf(reference: string): Promise<string> {
    await this.prepare(reference)
    const [tagged] = this.#referencesIn(reference)
    if (!tagged) throw new Error(`${reference} has no tag`)
    return (await this.#repository(tagged).resolve(tagged.tag))?.digest ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }

  #referencesIn(text: string): Tagged[] {
    return [...text.matchAll(this.#pattern)].map(([, host = '', repository = '', tag = '']) => ({
      host,
      repository,
      tag,
    }))
  }

  #repository({ host, repository }: Tagged) {
    return this.#client.repository({ host, repository })
  }

  async #ensure(reference: Tagged): Promise<void> {
    if ((await this.#repository(reference).resolve(reference.tag)) === undefined) await this.#make(reference)
  }

  async #remove({ host, repository, tag }: Tagged): Promise<void> {
    await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, { method: 'DELETE' })
  }

  /** Removes what was published before: another record may not move its tag. */
  async #removeRecordImages(): Promise<void> {
    const { host } = this.#broker
    for await (const repository of this.#client.listRepositories(host)) {
      for await (const tag of this.#client.repository({ host, repository }).listTags())
        if (RECORD_TAG.test(tag)) await this.#remove({ host, repository, tag })
    }
  }

  async #make(reference: Tagged): Promise<void> {
    const { host, repository, tag } = reference
    const [, recorded, workload] = RECORD_TAG.exec(tag) ?? []
    if (recorded !== undefined) {
      const image = `${host}/${repository}:${recorded}`
      await this.prepare(image)
      const query = new URLSearchParams({
        image,
        workload: workload ?? '',
        publish: `${image.replace(/:[^:]*$/, '')}:${tag}`,
      })
      const path = `/v1/records?${query}`
      const record = await this.#broker.request<{ id?: string }>('POST', path, '/bin/sh\n/etc/os-release\n')
      if (record.id === undefined) throw new Error(`${path} failed: ${JSON.stringify(record)}`)
    } else if (MADE.test(tag)) {
      await this.#convert(`${host}/${repository}:${tag.replace(MADE, '')}`, `${host}/${repository}:${tag}`)
    } else await pushImage(this.#repository(reference), sampleImage(tag), tag)
  }

  async #convert(source: string, target: string): Promise<void> {
    await this.prepare(source)
    const response = await fetch(new URL('/v1/conversions', this.#broker.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=60' },
      body: JSON.stringify({ source, target, record: { inline: [{ path: '/bin/sh' }] } }),
    })
    const { state, error } = (await response.json()) as { state: string; error?: unknown }
    if (state !== 'succeeded')
      throw new Error(`${source} was not converted: ${state} ${JSON.stringify(error)}`)
  }
}

/** Programs of this machine that the image has, with the libraries that they load. */
const PROGRAMS = ['/bin/sh', '/bin/cat']

/** An image with a shell, and a stand-in for a Python that imports a module. */
function sampleImage(version: string) {
  const libraries = PROGRAMS.flatMap(
    (program) => execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? [],
  )
  const paths = [...new Set([...PROGRAMS, ...libraries])]
  const copy = (path: string) => file(path.slice(1), readFileSync(realpathSync(path)), { mode: 0o755 })
  const system = buildTar(
    ...['dev', 'proc', 'sys', 'tmp', 'run', 'etc', 'usr', 'usr/bin'].map((path) => dir(path)),
    file('etc/os-release', 'NAME=sample\n'),
    ...paths.map(copy),
  )
  const app = buildTar(
    file('usr/bin/python3', '#!/bin/sh\nexec cat /srv/app.py\n', { mode: 0o755 }),
    file('srv/app.py', `version = '${version}'\n`),
  )
  const config = { Entrypoint: ['/bin/sh', '-c'], Cmd: ['cat /etc/os-release'], Env: ['PATH=/usr/bin:/bin'] }
  return { layers: [{ tar: system }, { tar: app }], configFields: { config } }
}
