/**
 * Shuffle sharding: every flow is dealt a hand of queues, so that a greedy flow fills only its own hand, and hardly any
 * other flow has the very same one (https://aws.amazon.com/builders-library/workload-isolation-using-shuffle-sharding).
 */

const FNV_OFFSET = 0xcbf29ce484222325n
const FNV_PRIME = 0x100000001b3n

/** 64 bits of FNV-1a over a flow's name. */
function hash(text: string): bigint {
  let value = FNV_OFFSET
  for (const byte of Buffer.from(text)) value = BigInt.asUintN(64, (value ^ BigInt(byte)) * FNV_PRIME)
  return value
}

/** The hand of a flow: `size` different numbers below `deck`. The same for the same flow. */
export function dealHand(flow: string, deck: number, size: number): number[] {
  let rest = hash(flow)
  const hand: number[] = []
  for (let dealt = 0; dealt < Math.min(size, deck); dealt++) {
    const left = BigInt(deck - dealt)
    let card = Number(rest % left)
    rest /= left
    // Cards that are out of the deck are skipped, from the lowest up.
    for (const taken of [...hand].sort((a, b) => a - b)) if (card >= taken) card++
    hand.push(card)
  }
  return hand
}
