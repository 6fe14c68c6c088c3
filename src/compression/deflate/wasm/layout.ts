/**
 * The memory layout: every region has a fixed address and size, so that nothing is ever allocated. Pages that
 * are never touched cost nothing. All sizes are in bytes.
 */

/** The maximum distance of a match (RFC 1951, 2). */
export const WINDOW: usize = 32 * 1024

/** Decoding pauses at the end of a block once there are so many uncompressed bytes since the last pause. */
export const PAUSE_PLAIN: usize = 256 * 1024
/**
 * A block with more uncompressed bytes is not copied, because its input would have to be retained meanwhile.
 */
export const MAX_COPIED_PLAIN: usize = 512 * 1024
/** Decoding also pauses once so much input would have to be retained, however little it decodes to. */
export const PAUSE_INPUT: usize = 1024 * 1024
/** Uncompressed bytes move to the front of their region once there are so many. */
export const MOVE_PLAIN: usize = 512 * 1024

/** Readers and writers access a few words beyond the end of their data. */
const SLACK: usize = 1024

/**
 * Between two pauses, at most PAUSE_INPUT bytes of input are retained, and then one block: either of
 * MAX_COPIED_PLAIN bytes with at most 16 bits each, or of any size and not retained. What the caller feeds
 * comes in addition.
 */
export const MAX_FEED: usize = 256 * 1024
export const INPUT_SIZE: usize = PAUSE_INPUT + 2 * MAX_COPIED_PLAIN + MAX_FEED
export const PLAIN_SIZE: usize = WINDOW + MOVE_PLAIN + PAUSE_PLAIN + MAX_COPIED_PLAIN + SLACK
/** The largest number of uncompressed bytes between two pauses, with a match every three bytes. */
export const MAX_MATCHES: usize = 128 * 1024
export const MAX_BLOCKS: usize = 4096
/** The output of a block is never longer than a stored block; twice that is ample. */
export const OUTPUT_SIZE: usize = 2 * PLAIN_SIZE
/**
 * The maximum number of symbols in a block that is encoded again. Larger blocks would adapt to changes in the
 * data too slowly.
 */
export const MAX_SYMBOLS: u32 = 8192
export const HASH_BITS: u32 = 15

const START: usize = 64 * 1024
/**
 * Decoding tables (u32): 2^11 and 2^8 entries of the first tables, and the maximum that second tables can
 * need.
 */
export const LITERAL_TABLE: usize = START
export const DISTANCE_TABLE: usize = LITERAL_TABLE + 4096 * 4
export const PRECODE_TABLE: usize = DISTANCE_TABLE + 1024 * 4
/** The code lengths that are being read (u8). */
export const LENGTHS: usize = PRECODE_TABLE + 128 * 4
/** Symbols sorted by length or by frequency (u64 at most). */
export const SORTED: usize = LENGTHS + 1024
/** The symbols before they are sorted, and the indices in the sorted order by frequency. */
export const FOUND: usize = SORTED + 8 * 512
export const PLACES: usize = FOUND + 8 * 512
/** Counters of code construction, tree links and weights. */
export const COUNTS: usize = PLACES + 512
export const PARENTS: usize = COUNTS + 512
export const WEIGHTS: usize = PARENTS + 2048
/**
 * Length and distance symbols: base << 8 | extra bits (u32); and the symbol of each length and distance (u8).
 */
export const LENGTH_BASES: usize = WEIGHTS + 2048
export const DISTANCE_BASES: usize = LENGTH_BASES + 128
export const LENGTH_SYMBOLS: usize = DISTANCE_BASES + 128
export const DISTANCE_SYMBOLS: usize = LENGTH_SYMBOLS + 512
/**
 * Frequencies, codes (code | length << 16) and code lengths of the block that is being written: 286, 30 and
 * 19 symbols.
 */
export const FREQUENCIES: usize = DISTANCE_SYMBOLS + 1024
export const CODES: usize = FREQUENCIES + 4 * 512
export const CODE_LENGTHS: usize = CODES + 4 * 512
/** The code lengths of a block one after the other, and run-length encoded (u16: symbol | extra << 8). */
export const LISTED: usize = CODE_LENGTHS + 512
export const RUNS: usize = LISTED + 512
/** The matches of the block that is being written (u64, as in the parse). */
export const SEQUENCE: usize = RUNS + 1024
/** Hash heads and chains of the match finder (u32). */
export const HEADS: usize = SEQUENCE + <usize>MAX_SYMBOLS * 8 + SLACK
export const CHAINS: usize = HEADS + (<usize>1 << HASH_BITS) * 4
/** The parse: matches (u64) and blocks. */
export const MATCHES: usize = CHAINS + WINDOW * 4
export const BLOCKS: usize = MATCHES + MAX_MATCHES * 8 + SLACK
export const BLOCK_RECORD: usize = 32
export const INPUT: usize = BLOCKS + MAX_BLOCKS * BLOCK_RECORD
/**
 * The uncompressed bytes. One window of slack before them allows unsigned comparisons of addresses in the
 * history.
 */
export const PLAIN: usize = INPUT + INPUT_SIZE + SLACK + WINDOW
export const OUTPUT: usize = PLAIN + PLAIN_SIZE + SLACK
export const END: usize = OUTPUT + OUTPUT_SIZE + SLACK
