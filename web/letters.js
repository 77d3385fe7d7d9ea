/*
 * The shape of OLAF messages. What comes in is read liberally, in every form in which the world writes it; what goes out
 * is v1.2, compact, keys sorted inside and out, which most programs understand. What does not fit is nothing at all,
 * never an error: nobody here can do anything about a neighbour that speaks oddly.
 */

import { fromBase64, toBase64, utf8 } from "./bytes.js";
import { sign } from "./identity.js";

export const LIST_REQUEST = '{"type":"client_list_request"}';

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** What a frame of a server is: a list, something signed, a complaint; null for anything else. */
export function hear(text) {
  const frame = parse(text);
  if (!isObject(frame)) return null;
  if (frame.type === "client_list") return isList(frame.servers) ? { list: entries(frame.servers) } : null;
  if (frame.type === "signed_data") {
    const signed = readSigned(frame);
    return signed && { signed };
  }
  return typeof frame.error === "string" ? { complaint: frame.error } : null;
}

const isList = (servers) =>
  Array.isArray(servers) && servers.every((server) => isObject(server) && Array.isArray(server.clients));

/** Pairs of a home and the key of somebody who is there. */
function* entries(servers) {
  for (const server of servers) {
    const home = typeof server.address === "string" ? server.address : "";
    for (const client of server.clients) {
      const key = isObject(client) ? (client.public_key ?? client["public-key"]) : client;
      if (typeof key === "string") yield [home, key];
    }
  }
}

function readSigned({ data, counter, signature }) {
  const raw = typeof data === "string" ? data : null;
  // "data" followed by "counter" is only unambiguous because data ends in a brace.
  if (raw !== null && !(raw.startsWith("{") && raw.endsWith("}"))) return null;
  const value = raw === null ? data : parse(raw);
  if (!isObject(value)) return null;
  const number = typeof counter === "string" && /^(0|[1-9][0-9]*)$/.test(counter) ? Number(counter) : counter;
  const bytes = fromBase64(signature);
  if (!Number.isSafeInteger(number) || number < 0 || !bytes) return null;
  return { value, raw, counter: number, signature: bytes };
}

export const helloBody = (pem) => ({ public_key: pem, type: "hello" });

export const publicBody = (sender, message) => ({ message, sender, type: "public_chat" });

export const chatBody = ({ text, vector, keys }, homes) => ({
  chat: toBase64(text),
  destination_servers: homes,
  iv: toBase64(vector),
  symm_keys: keys.map(toBase64),
  type: "chat",
});

/** A signed frame, and its signature. */
export async function signed(identity, counter, body) {
  const data = JSON.stringify(body);
  const signature = await sign(identity, utf8(data + counter));
  const frame = JSON.stringify({ counter, data, signature: toBase64(signature), type: "signed_data" });
  return { frame, signature };
}
