import { Memo } from '../../concurrency/memo.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { Repository } from '../../registry/repository.ts'
import type { ConversionServices } from '../services.ts'
import type { CachedLayer, LayerLookup } from './layer-cache.ts'
import type { LayerKey } from './layer-key.ts'

/** A layer from the cache, and whether this project converted it. */
export type FoundLayer<Layer extends CachedLayer = CachedLayer> = Layer & { readonly isOwn: boolean }

/** What a method of the cache finds. */
type Found<Method extends keyof LayerLookup> = NonNullable<Awaited<ReturnType<LayerLookup[Method]>>>

type SoughtLayer = { readonly descriptor: Descriptor; readonly signal: AbortSignal }

type KnownLayersOptions = {
  readonly services: Pick<ConversionServices, 'cache' | 'registries'>
  readonly source: Repository
}

/**
 * The layers that one conversion may take from the cache: those that its project converted, and those of other projects
 * whose source it can read just now.
 *
 * A manifest proves nothing, because anyone can push one that names a digest. So the blob must be in the source
 * repository, by the credentials of this project. The registry is asked before the layers of others are looked up, and
 * whether or not they have this one: how long a conversion takes, and what it requests, must not tell what others have
 * converted. And only what was read from the same registry counts: another one might claim to have any blob.
 */
export class KnownLayers {
  readonly #services: KnownLayersOptions['services']
  readonly #source: Repository
  readonly #hasForeign = new Memo<boolean>()
  readonly #inSource = new Memo<boolean>()
  readonly #places = new Memo<boolean>()

  constructor({ services, source }: KnownLayersOptions) {
    this.#services = services
    this.#source = source
  }

  /**
   * Looks a layer up.
   * @param layer the source layer, whose digest and size are in the key
   */
  async find<Method extends keyof LayerLookup>(
    method: Method,
    layer: SoughtLayer,
    key: LayerKey,
  ): Promise<FoundLayer<Found<Method>> | undefined> {
    const { cache } = this.#services
    if (!cache) return undefined
    const own = (await cache.layers[method](key)) as Found<Method> | undefined
    if (own) return { ...own, isOwn: true }
    const hasForeign = await this.#hasForeign.get('', () => cache.layers.hasForeign())
    if (!hasForeign || !(await this.#isReadable(layer))) return undefined
    const sharing = {
      sourceHosts: this.#services.registries.names.all(this.#source.host),
      mayRead: (cached: CachedLayer) => this.mayRead(cached, layer.signal),
    }
    const foreign = (await cache.layers.foreign(sharing)[method](key)) as Found<Method> | undefined
    return foreign && { ...foreign, isOwn: false }
  }

  /**
   * Whether this project can read a converted layer where it is: its rules allow the repository, its credentials the
   * blob, and the blob is still there.
   */
  mayRead({ layer, ...place }: CachedLayer, signal: AbortSignal): Promise<boolean> {
    const { registries } = this.#services
    const location = { host: registries.names.preferred(place.host), repository: place.repository }
    return this.#places.get(`${location.host}/${location.repository} ${layer.digest}`, () =>
      hasBlob(() => registries.repository(location), layer, signal),
    )
  }

  /** Whether the source repository has the layer, by what it responds to this project. */
  #isReadable({ descriptor, signal }: SoughtLayer): Promise<boolean> {
    const { digest, size } = descriptor
    // If not, the conversion reads the layer next, and reports why it cannot.
    return this.#inSource.get(`${digest} ${size}`, () => hasBlob(() => this.#source, descriptor, signal))
  }
}

async function hasBlob(
  open: () => Repository,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await open().blobSize(digest, { signal })) === size
  } catch {
    signal.throwIfAborted()
    return false
  }
}
