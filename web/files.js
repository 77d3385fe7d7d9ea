/*
 * Files: one is left at the server, and its address is said in the conversation. The server keeps it unsealed for some
 * days, and whoever has the address can fetch it.
 */

const PATH = "/api/upload";

/** Leaves a file at a door; says its address, or why not. */
export async function upload(door, file, mostBytes) {
  if (mostBytes !== null && file.size > mostBytes) return { problem: "it is larger than this server takes" };
  if (file.size === 0) return { problem: "it is empty" };
  const form = new FormData();
  form.append("file", file);
  try {
    const answer = await fetch(door.web + PATH, { method: "POST", body: form, credentials: "omit" });
    if (!answer.ok) return { problem: problems[answer.status] ?? `the server refused it (${answer.status})` };
    const { file_url: url } = await answer.json();
    const isWeb = typeof url === "string" && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
    return isWeb ? { url } : { problem: "the server did not say where it lies" };
  } catch {
    return { problem: "the connection broke" };
  }
}

const problems = {
  413: "it is larger than this server takes",
  429: "too many files came from this address; try again in a while",
  503: "the server takes no files at the moment",
  507: "the server has no room for it",
};
