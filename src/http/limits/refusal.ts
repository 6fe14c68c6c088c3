/** Why a request was refused before its route saw it; the label of a metric. */
export type Refusal = 'host' | 'overload' | 'rate_limit' | 'wrong_credentials'
