/*
 * Every bound of the page, with its reason. A page stays open for weeks, and what servers and strangers send must not
 * fill it: whatever is remembered here has a most.
 */

/** Members that are believed to be present at once; the rest of a longer list is not read. */
export const MOST_PRESENT = 50_000;
/** Of those who left, how many keys are remembered: their last letters may still be under way. */
export const MOST_GONE = 1_024;
/** Fingerprints in odd forms whose owner is looked for; each form costs digests. */
export const MOST_CLAIMS = 4_096;
/** Letters of others that are remembered against being played back. */
export const REPLAY_WINDOW = 16_384;
/** Our own letters that may still come back to us. */
export const MOST_ECHOES = 1_024;
/** Letters that wait for the list to say whose they are, and how long they may be together. */
export const MOST_WAITING = 64;
export const MOST_WAITING_LETTERS = 1 << 20;

/** The longest spelling of a key that is worth reading: 2048 bits in base64 twice have less than 1 KiB. */
export const LONGEST_KEY = 8 << 10;
/** Wrapped keys that are tried in one letter. Each costs a private-key operation, and servers let no more pass. */
export const MOST_KEYS = 256;

/** Frames, and their letters, that came and were not looked at yet. Beyond it we are too slow and begin afresh. */
export const MOST_FRAMES = 8_192;
export const MOST_FRAME_LETTERS = 64 << 20;
/** The information document. */
export const LARGEST_DOCUMENT = 64 << 10;

/** Doors that are remembered. A home has few nodes, and a server that names a thousand doors means no good. */
export const MOST_DOORS = 16;

/** What was typed and waits for a connection. */
export const MOST_UNSAID = 256;

/** Guests of one room, and rooms of one list; of longer ones the rest is not read. */
export const MOST_GUESTS = 65_536;
export const MOST_ROOMS = 4_096;
/** Requests that may wait for an answer. */
export const MOST_ASKED = 1_024;
/** Lines of rooms that are remembered, so that none is shown twice. */
export const MOST_SEEN_LINES = 16_384;
/** Lines of one room that are fetched after a loss. What is older can still be asked for. */
export const MOST_MISSED = 2_000;
/** Entries of the directory that are shown. */
export const MOST_INTRODUCTIONS = 1_024;

/** Conversations, most of which strangers can begin. Beyond it the one goes that was quiet for the longest time. */
export const MOST_CONVERSATIONS = 200;
/** Lines of one conversation that are kept, and those of them that are shown at once. */
export const MOST_LINES = 2_000;
export const MOST_SHOWN_LINES = 500;
/** The longest text that is shown; what is longer is cut, and says so. */
export const LONGEST_TEXT = 64 << 10;
/** People in the list at once. A browser shows thousands of entries slowly, and nobody reads them. */
export const MOST_SHOWN_MEMBERS = 300;
/** Nicknames. */
export const MOST_NAMES = 10_000;
export const LONGEST_NAME = 32;
/** Keys that were in use before and are kept. Few people have more than a handful, and all stand in one list. */
export const MOST_EARLIER_KEYS = 16;
/** A file with a key is JSON with one PEM in it; a larger one is something else. */
export const LARGEST_KEYRING = 64 << 10;

/** How long a server may take to open the connection; the same where there are other doors to try. */
export const LONGEST_DIAL_MS = 15_000;
export const LONGEST_TRY_MS = 5_000;
/** How long a document may take: it is a courtesy, and nobody should wait for it. */
export const LONGEST_QUESTION_MS = 3_000;
/** The first wait before dialling again, and the longest. */
export const LEAST_WAIT_MS = 500;
export const MOST_WAIT_MS = 30_000;
/** The wait where a home has several doors and one said that it stands by: it looks for a leader within seconds. */
export const STANDBY_WAIT_MS = 1_000;
/** After a reconnect, how long whoever is written to may take to be back as well: a home moves with everybody in it. */
export const LONGEST_RETURN_MS = 5_000;
/** Silence after which a server is asked whether it lives, and how long it may take to say so. */
export const QUIET_MS = 15_000;
export const LONGEST_SILENCE_MS = 20_000;
