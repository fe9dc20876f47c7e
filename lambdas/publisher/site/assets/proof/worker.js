/**
 * Looks for the solution of a challenge, away from the page: a number whose SHA-256, with the nonce and a full stop
 * before it, begins with so many zero bits. Told `{nonce, bits}`, it answers with the number as text. Told `from` as
 * well, it begins there, and says now and then, as a number, how far it has come.
 *
 * SHA-256 as in FIPS 180-4. Nonce and number always fit into one block, so one round of 64 steps is a try.
 */

const TELLS_EVERY = 16_384;

const primes = [];
for (let number = 2; primes.length < 64; number += 1) {
  if (primes.every((prime) => number % prime)) primes.push(number);
}
/** The first 32 bits of the fraction of a root, as the standard takes its constants. */
const fraction = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
const K = Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));
const H = Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const w = new Int32Array(64);

/** The first 32 bits of the digest of one padded block, as 16 words. */
function firstWord(block) {
  w.set(block);
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = H;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  return (a + H[0]) | 0;
}

/**
 * The first number that solves it.
 * @param {string} nonce
 * @param {number} bits 32 at most
 * @param {number} from
 * @param {(number: number) => void} reached
 */
function solve(nonce, bits, from, reached) {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  const block = new Int32Array(16);
  for (let number = from; ; number += 1) {
    if (number % TELLS_EVERY === 0 && number > from) reached(number);
    const text = `${nonce}.${number}`;
    bytes.fill(0);
    for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
    bytes[text.length] = 0x80;
    view.setUint32(60, text.length * 8);
    for (let i = 0; i < 16; i += 1) block[i] = view.getInt32(4 * i);
    if (firstWord(block) >>> (32 - bits) === 0) return String(number);
  }
}

// A page from before there was `from`, still in some cache, takes whatever it is told for the solution.
onmessage = ({ data: { nonce, bits, from } }) =>
  postMessage(solve(nonce, bits, from ?? 0, from === undefined ? () => {} : postMessage));
