/** What a request is about, if its route and its body do not say it. */
export type Audited = {
  /** The name of the operation. */
  readonly action: string
  readonly repository?: string | undefined
  readonly resource?: string | undefined
  /** Whether a request that was allowed is not recorded, although its method is one that changes something. */
  readonly isUnrecorded?: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    audited: Audited | undefined
    /** The project that the request is about, if it is another than the one that its caller works in. */
    concernedProject: string | undefined
    /** The code of the error that the request failed with. */
    failureCode: string | undefined
  }
  interface FastifyContextConfig {
    /** Requests are recorded although their method changes nothing, such as the end of a login. */
    isAudited?: boolean
  }
}
