// For its declarations of requests and replies.
import type {} from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * The cookies of the broker. Scripts cannot read them, other sites send them with navigations only, and no other
 * host and no plain HTTP can set them: that is what `__Host-` means to a browser. On a plain HTTP address of this
 * machine, where tests and trials run, browsers accept no such names.
 */
export class BrowserCookies {
  readonly #isSecure: boolean

  constructor(publicUrl: URL) {
    this.#isSecure = publicUrl.protocol === 'https:'
  }

  read({ cookies }: FastifyRequest, name: CookieName): string | undefined {
    return cookies[this.#fullName(name)]
  }

  /** @param maxAgeMs how long the browser keeps it; default: until it is closed */
  write(reply: FastifyReply, name: CookieName, value: string, maxAgeMs?: number): void {
    reply.setCookie(this.#fullName(name), value, {
      path: '/',
      httpOnly: true,
      secure: this.#isSecure,
      sameSite: 'lax',
      ...(maxAgeMs !== undefined && { maxAge: Math.floor(maxAgeMs / 1000) }),
    })
  }

  clear(reply: FastifyReply, name: CookieName): void {
    this.write(reply, name, '', 0)
  }

  #fullName(name: CookieName): string {
    return this.#isSecure ? `__Host-${name}` : name
  }
}

/** The session, and the login that is under way. */
type CookieName = 'record-broker' | 'record-broker-login'
