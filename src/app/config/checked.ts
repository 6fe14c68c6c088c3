import { z } from 'zod'

/** Makes a parser that throws into a transformation of a schema, whose error has the parser's message. */
export function checked<T>(parse: (text: string) => T) {
  return (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  }
}
