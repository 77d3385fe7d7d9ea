/*
 * Why a connection is not there, in words for people, and whether it is worth trying again. Kith closes with stable
 * codes as reasons; other servers write what they like.
 */

import { readDoor } from "./doors.js";

const MOVED = "moved ";

/** What the stable codes mean. */
const PASSING = {
  left: "The server closed the connection",
  silent: "The server heard nothing from here for too long",
  stalled: "More waited for this page than the server keeps",
  slow: "More waited for this page than the server keeps",
  no_hello: "The server waited in vain for our hello",
  replaced: "Another connection took the place of this one",
  draining: "The server shuts down or restarts",
  failed: "Something failed inside the server",
  server_full: "The server is full",
  too_many_from_address: "Too many connections come from this address",
  too_many_of_member: "This key is connected too often",
  too_many_hellos: "Too many hellos come from this address",
  too_many_checks: "The server is busy checking signatures of this address",
  replayed: "The server has seen our hello before",
  too_large: "The server found a message too large",
};
const LASTING = {
  bad_key: "The server does not allow our key",
  bad_signature: "The server could not verify our signature",
  kicked: "An administrator closed this connection",
  banned: "You are banned from this server",
};
const CODES = {
  1000: "The server closed the connection",
  1001: "The server goes away",
  1006: "The connection broke",
  1008: "The server does not allow what this page did",
  1009: "The server found a message too large",
  1011: "Something failed inside the server",
  1012: "The server restarts",
  1013: "The server is busy",
};

/** The end of a connection: its words, whether the next attempt may go better, and where the home is served now. */
export function closed(code, reason) {
  const moved = reason.startsWith(MOVED) ? readDoor(reason.slice(MOVED.length)) : null;
  if (moved) return { words: `This home is served at ${moved.socket} now`, again: true, moved };
  const lookUp = (table) => (Object.hasOwn(table, reason) ? table[reason] : null);
  const lasting = lookUp(LASTING);
  if (lasting) return { words: lasting, again: false, moved: null };
  return passing(lookUp(PASSING) ?? CODES[code] ?? `The server closed the connection (${code})`);
}

export const passing = (words) => ({ words, again: true, moved: null });
