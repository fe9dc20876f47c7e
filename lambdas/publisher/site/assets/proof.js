/** Solves the challenge a zone may set before joining. The page goes on answering meanwhile. */

const WORKER = "/.waiting-room/assets/proof/worker.js";
const WORKERS = 2;
const TRIES_AT_ONCE = 256;
// A worker tells of its progress about twice a second on a slow telephone, and has to be loaded first.
const SILENT_MS = 10_000;
const LATE_MS = 10_000;
// A challenge is good for five minutes (CHALLENGE_SEC in use_cases/prove.py).
const LONGEST_MS = 240_000;

/**
 * The proof to join with. Rejects when there is none after LONGEST_MS, whatever the browser did meanwhile.
 * @param {{challenge: string, nonce: string, bits: number}} challenge as told with the problem proof-needed
 * @param {() => void} late it takes longer than usual
 * @returns {Promise<{challenge: string, solution: string}>}
 */
export async function prove({ challenge, nonce, bits }, late) {
  const ends = new AbortController();
  const over = new Promise((_, reject) => {
    ends.signal.addEventListener("abort", () => reject(new Error("The challenge was not solved in time.")));
  });
  const lateTimer = setTimeout(late, LATE_MS);
  const endTimer = setTimeout(() => ends.abort(), LONGEST_MS);
  try {
    return { challenge, solution: await Promise.race([solved({ nonce, bits, from: 0 }, ends.signal), over]) };
  } finally {
    clearTimeout(lateTimer);
    clearTimeout(endTimer);
    ends.abort();
  }
}

/** In a worker; in another one that goes on from there, if the first falls silent; at last on the page itself. */
async function solved(work, signal) {
  for (let started = 0; started < WORKERS && !signal.aborted; started += 1) {
    try {
      return await solvedApart(work, signal);
    } catch {
      // None there, not loaded, or silent for too long.
    }
  }
  return solvedHere(work, signal);
}

/** In a worker, whose progress is noted in `work`. Rejects where the browser has none, or it is not heard of. */
function solvedApart(work, signal) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER);
    let silence = 0;
    const end = (settle, value) => {
      clearTimeout(silence);
      signal.removeEventListener("abort", fail);
      worker.terminate();
      settle(value);
    };
    const fail = () => end(reject);
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(fail, SILENT_MS);
    };
    worker.onmessage = ({ data }) => {
      if (typeof data === "string") {
        end(resolve, data);
      } else {
        work.from = data;
        listen();
      }
    };
    worker.onerror = fail;
    signal.addEventListener("abort", fail);
    listen();
    worker.postMessage(work);
  });
}

/** On the page itself, some tries at a time; the browser computes them in the background. */
async function solvedHere({ nonce, bits, from }, signal) {
  const encoder = new TextEncoder();
  for (let first = from; !signal.aborted; first += TRIES_AT_ONCE) {
    const tries = Array.from({ length: TRIES_AT_ONCE }, async (_, index) => {
      const digest = await crypto.subtle.digest("SHA-256", encoder.encode(`${nonce}.${first + index}`));
      return new DataView(digest).getUint32(0) >>> (32 - bits) === 0;
    });
    const found = (await Promise.all(tries)).indexOf(true);
    if (found >= 0) return String(first + found);
    await new Promise((resolve) => setTimeout(resolve));
  }
  throw new Error("The challenge was not solved in time.");
}
