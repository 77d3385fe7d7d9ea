/*
 * How long the salt in a signature is. A browser verifies only with a length that it is told, and programs salt with any
 * from none to as many bytes as fit. The length does not depend on what was signed: it can be read off the signature and
 * the key (RFC 8017, 9.1.2), so nobody has to try all of them. It proves nothing; the browser still verifies.
 */

import { fromHex, sha256, toHex } from "./bytes.js";

const MODULUS = 256;
const DIGEST = 32;
/** The padding and the salt, and behind them a digest and one byte that is always the same. */
const MASKED = MODULUS - DIGEST - 1;
const LAST = 0xbc;
/** The bits of 65537 behind the first: each squares, and the last one multiplies. */
const SQUARINGS = 16;

const number = (bytes) => BigInt(`0x${toHex(bytes)}`);

/** What was signed in numbers: the signature to the power of 65537. */
function encoded(modulus, signature) {
  const [n, s] = [number(modulus), number(signature)];
  if (s >= n) return null;
  let power = s;
  for (let at = 0; at < SQUARINGS; at += 1) power = (power * power) % n;
  return fromHex(((power * s) % n).toString(16).padStart(2 * MODULUS, "0"));
}

/** As many bytes as lie over the padding and the salt, made of the digest. */
async function mask(digest) {
  const pieces = [];
  for (let at = 0; at * DIGEST < MASKED; at += 1) pieces.push(...(await sha256(Uint8Array.of(...digest, 0, 0, 0, at))));
  return pieces.slice(0, MASKED);
}

/** The length of the salt with which the owner of this key may have signed something; null if she did not. */
export async function saltOf(modulus, signature) {
  const message = encoded(modulus, signature);
  if (!message || message[MODULUS - 1] !== LAST) return null;
  const over = await mask(message.subarray(MASKED, MASKED + DIGEST));
  const under = over.map((byte, at) => byte ^ message[at]);
  // The highest bit belongs to nothing: the number has to be below the modulus.
  under[0] &= 0x7f;
  const one = under.findIndex((byte) => byte !== 0);
  return under[one] === 1 ? MASKED - one - 1 : null;
}
