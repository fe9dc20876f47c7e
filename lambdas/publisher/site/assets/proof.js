/** Solves the challenge a zone may set before joining. The page goes on answering meanwhile. */

const WORKER = "/.waiting-room/assets/proof/worker.js";
const TRIES_AT_ONCE = 256;

/**
 * The proof to join with.
 * @param {{challenge: string, nonce: string, bits: number}} challenge as told with the problem proof-needed
 * @returns {Promise<{challenge: string, solution: string}>}
 */
export async function prove({ challenge, nonce, bits }) {
  const solution = await solvedApart(nonce, bits).catch(() => solvedHere(nonce, bits));
  return { challenge, solution };
}

/** In a worker. Rejects where the browser has none, or could not load it. */
function solvedApart(nonce, bits) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER);
    const end = (settle, value) => {
      worker.terminate();
      settle(value);
    };
    worker.onmessage = ({ data }) => end(resolve, data);
    worker.onerror = () => end(reject);
    worker.postMessage({ nonce, bits });
  });
}

/** On the page itself, some tries at a time; the browser computes them in the background. */
async function solvedHere(nonce, bits) {
  const encoder = new TextEncoder();
  for (let from = 0; ; from += TRIES_AT_ONCE) {
    const tries = Array.from({ length: TRIES_AT_ONCE }, async (_, index) => {
      const digest = await crypto.subtle.digest("SHA-256", encoder.encode(`${nonce}.${from + index}`));
      return new DataView(digest).getUint32(0) >>> (32 - bits) === 0;
    });
    const found = (await Promise.all(tries)).indexOf(true);
    if (found >= 0) return String(from + found);
    await new Promise((resolve) => setTimeout(resolve));
  }
}
