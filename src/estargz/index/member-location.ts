/** The location of a compressed member in a stream of members, in bytes. */
export type MemberLocation = { readonly offset: number; readonly length: number }
