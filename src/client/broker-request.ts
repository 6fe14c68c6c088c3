import type {
  Client,
  ClientPathsWithMethod,
  MethodResponse,
  ParamsOption,
  RequestBodyOption,
} from 'openapi-fetch'
import type { paths } from './schema.ts'

/** The methods of the API. */
export type Method = 'get' | 'post' | 'put' | 'delete'

/** The paths of the OpenAPI document that have a method. */
export type PathWith<M extends Method> = ClientPathsWithMethod<Client<paths>, M> & keyof paths

/** What a request to a path consists of: the parameters and the body of the OpenAPI document, and what all requests have. */
export type RequestOptions<M extends Method, Path extends PathWith<M>> = ParamsOption<paths[Path][M]> &
  RequestBodyOption<paths[Path][M]> &
  CommonOptions

export type CommonOptions = {
  readonly headers?: Readonly<Record<string, string>>
  /** Ends the call. It then rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined
  /** The maximum time of this call with all of its attempts, in milliseconds. Default: that of the client. */
  readonly timeoutMs?: number | undefined
  /**
   * The key by which the broker recognizes a POST that is sent again. Default: a random key per call. Choose one to
   * make calls of several processes one request.
   */
  readonly idempotencyKey?: string | undefined
}

/** The options, which may be omitted if nothing is required. */
export type OptionsArgument<M extends Method, Path extends PathWith<M>> =
  Record<never, never> extends RequestOptions<M, Path>
    ? [options?: RequestOptions<M, Path>]
    : [options: RequestOptions<M, Path>]

/** The document of a successful response; `undefined` if the response has none. */
export type ResponseDocument<M extends Method, Path extends PathWith<M>> = [
  MethodResponse<Client<paths, 'application/json'>, M, Path>,
] extends [never]
  ? undefined
  : MethodResponse<Client<paths, 'application/json'>, M, Path>

/** A document, and the response that it came with: its status and headers. */
export type Received<M extends Method, Path extends PathWith<M>> = {
  readonly document: ResponseDocument<M, Path>
  readonly response: Response
}
