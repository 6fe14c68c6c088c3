/** The API of OpenTelemetry. Only its types are imported: the module takes 4 MiB of memory in each process. */
type Api = typeof import('@opentelemetry/api')

let loaded: Api | undefined

/** Returns the API; undefined while traces are off, so that whoever makes a span makes none. */
export function otel(): Api | undefined {
  return loaded
}

/** Turns traces on, once an SDK is registered. */
export function turnTracingOn(api: Api): void {
  loaded = api
}
