/*
 * Public keys in every spelling, their fingerprints in every form, and signatures of others.
 *
 * A member is her key, and is called here by its id: the SHA-256 of the canonical PEM in hexadecimal digits, as in
 * `kith chat`, in rooms and in the admin API. What others write as fingerprint is the same digest in base64 (v1.2), or
 * one of a dozen older forms. Only RSA-2048 with the exponent 65537 is a key: then all of them look alike, byte for
 * byte, but for the modulus.
 */

import { fromBase64, fromHex, isEqual, sha256Hex, text, toBase64, toHex, utf8 } from "./bytes.js";
import { LONGEST_KEY } from "./limits.js";
import { saltOf } from "./salt.js";

const MODULUS = 256;
/** What stands before the modulus in SubjectPublicKeyInfo, and in PKCS#1; and behind it: the exponent. */
const PKCS1 = fromHex("3082010a0282010100");
const SPKI = Uint8Array.of(...fromHex("30820122300d06092a864886f70d01010105000382010f00"), ...PKCS1);
const EXPONENT = fromHex("0203010001");

/** Salts that are tried before others: the one of the specification, and the longest, which Python signs with. */
const SALTS = [32, 222];
const PSS = { name: "RSA-PSS", hash: "SHA-256" };
export const OAEP = { name: "RSA-OAEP", hash: "SHA-256" };

export function pem(label, bytes, columns) {
  const body = toBase64(bytes);
  const lines = columns ? body.match(/.{1,64}/g).join("\n") : body;
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----`;
}

/** The bytes in a PEM, whatever its line width. */
export function pemBody(pem) {
  const found = /^\s*-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----\s*$/.exec(pem);
  return found && fromBase64(found[2].replace(/\s+/g, ""));
}

function spkiOf(der) {
  for (const head of [SPKI, PKCS1]) {
    if (der.length !== head.length + MODULUS + EXPONENT.length) continue;
    const modulus = der.subarray(head.length, head.length + MODULUS);
    const fits = isEqual(der.subarray(0, head.length), head) && isEqual(der.subarray(-EXPONENT.length), EXPONENT);
    // The highest bit makes it 2048 bits; an even number is no product of two odd primes.
    if (fits && modulus[0] >= 0x80 && modulus[MODULUS - 1] % 2 === 1) {
      return Uint8Array.of(...SPKI, ...modulus, ...EXPONENT);
    }
  }
  return null;
}

/** A key as somebody spelled it: PEM, base64 of it, or base64 of the DER. Null for anything else. */
export async function readKey(received) {
  if (typeof received !== "string" || received.length > LONGEST_KEY) return null;
  let der = pemBody(received);
  if (!der) {
    const inner = fromBase64(received.replace(/\s+/g, ""));
    const wrapped = inner && text(inner);
    der = (wrapped && pemBody(wrapped)) ?? inner;
  }
  const spki = der && spkiOf(der);
  if (!spki) return null;
  return { spki, id: await sha256Hex(pem("PUBLIC KEY", spki, false)), received };
}

/** The fingerprint as v1.2 writes it. */
export const official = (id) => toBase64(fromHex(id));

/** The digest that a fingerprint of any form is of, in hexadecimal digits. The length alone tells how it is written. */
export function digestOf(claim) {
  if (typeof claim !== "string") return null;
  const hex = (digits) => (/^[0-9a-fA-F]{64}$/.test(digits) ? digits.toLowerCase() : null);
  if (claim.length === 64) return hex(claim);
  const bytes = [44, 88].includes(claim.length) ? fromBase64(claim) : null;
  if (!bytes) return null;
  return bytes.length === 32 ? toHex(bytes) : hex(text(bytes) ?? "");
}

/** The digests by which others may call this key, besides its id. */
export async function odderDigests({ spki, received }) {
  const columns = pem("PUBLIC KEY", spki, true);
  const texts = new Set([columns, `${columns}\n`, received, toBase64(utf8(received))]);
  return Promise.all(Array.from(texts, sha256Hex));
}

/**
 * Whether one of these texts was signed with this key: the name of its form and the salt, or null. Any salt will do; the
 * likely one is that with which she signed before.
 */
export async function whoseSignature(key, candidates, signature, likelySalt) {
  if (signature.length !== MODULUS) return null;
  key.verifier ??= await crypto.subtle.importKey("spki", key.spki, PSS, false, ["verify"]);
  const usual = new Set([likelySalt ?? SALTS[0], ...SALTS]);
  for (const salt of usual) {
    const form = await formSigned(key, candidates, signature, salt);
    if (form) return { form, salt };
  }
  const salt = await saltOf(modulusOf(key), signature);
  const form = salt !== null && !usual.has(salt) && (await formSigned(key, candidates, signature, salt));
  return form ? { form, salt } : null;
}

const modulusOf = ({ spki }) => spki.subarray(SPKI.length, SPKI.length + MODULUS);

/** The name of the first of these forms that was signed with a salt of this length. */
async function formSigned(key, candidates, signature, saltLength) {
  for (const [form, text] of candidates) {
    if (await crypto.subtle.verify({ name: "RSA-PSS", saltLength }, key.verifier, signature, text)) return form;
  }
  return null;
}

/** The key with which something is sealed for its owner. */
export async function wrapperOf(key) {
  key.wrapper ??= await crypto.subtle.importKey("spki", key.spki, OAEP, false, ["encrypt"]);
  return key.wrapper;
}
