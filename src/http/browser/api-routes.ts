/** The routes whose responses callers may cache and get compressed: those of the API, and its document. */
export const API_ROUTE = /^\/(v1\/|openapi\.json$)/
