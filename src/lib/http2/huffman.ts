/**
 * Strings in the code that HPACK packs them with (RFC 7541, section 5.2 and appendix B). The code is canonical: how many
 * bits each symbol has says all of it.
 */
import { COMPRESSION_ERROR, ConnectionFault } from './fault.ts'

/** Bits of each byte's code, `a` for 5. The end's is 30 bits long, the last of all codes. */
const LENGTHS =
  'isxxxxxxxtzxxzxxxxxxxxzxxxxxxxxxbffhibdgffdgdbbbaaabbbbbbbcdkbhfibccccccccccccccccccccccdcdioijbkabababbbaccbbbabcbaabccccckgjixprpprrrsrssssststtrstssssqrsrsstrqprrssqsrrtqrssqqrqsrssprrrsrrsvvporsruvvvwwvtuoqvwwvwtqqvvxwwwptpqrqqsrruuttvsvwvvwwwwwxwwwwwv'
const MIN_BITS = 5
const END = 256
const MAX_BITS = 30

/** Children of the nodes of the code's tree, two each: a node above 0, a symbol as `-1 - symbol`, 0 for none. */
function makeTree(): Int16Array {
  const lengths = [...LENGTHS].map(letter => letter.charCodeAt(0) - 'a'.charCodeAt(0) + MIN_BITS)
  lengths.push(MAX_BITS)
  const symbols = lengths.map((_, symbol) => symbol).sort((a, b) => lengths[a]! - lengths[b]! || a - b)
  const tree = new Int16Array(4 * lengths.length)
  let nodes = 1
  let code = 0
  let bits = 0
  for (const symbol of symbols) {
    code *= 2 ** (lengths[symbol]! - bits)
    bits = lengths[symbol]!
    let node = 0
    for (let bit = bits - 1; bit > 0; bit--) {
      const at = 2 * node + ((code >>> bit) & 1)
      if (tree[at] === 0) tree[at] = nodes++
      node = tree[at]!
    }
    tree[2 * node + (code & 1)] = -1 - symbol
    code++
  }
  return tree
}

/** Four bits at a time: by node and bits, where they lead and what they say. */
interface Steps {
  /** The node after the bits; -1 where the code is broken. */
  readonly node: Int16Array
  /** The symbol that is complete within the bits, or -1. No code is shorter than five bits, so there is one at most. */
  readonly symbol: Int16Array
  /** By node: whether a string may end there, as what is left are leading ones of the end's code, fewer than eight. */
  readonly mayEnd: Uint8Array
}

let made: Steps | undefined

function makeSteps(): Steps {
  const tree = makeTree()
  const nodes = tree.length / 2
  const steps = {
    node: new Int16Array(nodes * 16),
    symbol: new Int16Array(nodes * 16).fill(-1),
    mayEnd: new Uint8Array(nodes),
  }
  for (let node = 0; node < nodes; node++) {
    for (let bits = 0; bits < 16; bits++) {
      let at = node
      for (let bit = 3; bit >= 0 && at >= 0; bit--) {
        const child = tree[2 * at + ((bits >>> bit) & 1)]!
        if (child > 0) at = child
        else if (child === 0 || child === -1 - END) at = -1
        else {
          steps.symbol[node * 16 + bits] = -1 - child
          at = 0
        }
      }
      steps.node[node * 16 + bits] = at
    }
  }
  for (let node = 0, ones = 0; ones < 8; ones++, node = tree[2 * node + 1]!) steps.mayEnd[node] = 1
  return steps
}

let scratch = Buffer.allocUnsafeSlow(256)

/** The string in `bytes` from `start` to before `end`. Throws ConnectionFault for what is no such string. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string {
  const { node, symbol, mayEnd } = (made ??= makeSteps())
  // Five bits are the shortest code of a byte.
  const most = Math.ceil(((end - start) * 8) / MIN_BITS)
  if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(2 * most)
  let length = 0
  let at = 0
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!
    let step = at * 16 + (byte >>> 4)
    if (symbol[step]! >= 0) scratch[length++] = symbol[step]!
    at = node[step]!
    if (at < 0) break
    step = at * 16 + (byte & 15)
    if (symbol[step]! >= 0) scratch[length++] = symbol[step]!
    at = node[step]!
    if (at < 0) break
  }
  if (at < 0 || mayEnd[at] !== 1) throw new ConnectionFault(COMPRESSION_ERROR, 'a packed string is broken')
  return scratch.toString('latin1', 0, length)
}
