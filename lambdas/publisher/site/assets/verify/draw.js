/**
 * Recomputes a draw from what was published of it, step for step as the service's `domain/line/draws.py` holds it:
 * a Feistel network keyed by everything that was published, walked until the result is a place.
 */

const METHOD = "foyer-draw-1";
const ROUNDS = 12;

/**
 * @typedef {object} DrawRecord as published at /.waiting-room/draws/{zone}/{run}.json
 * @property {string} method
 * @property {string} zone_id
 * @property {number} run
 * @property {string} commitment SHA-256 of the secret, published before the start
 * @property {string | null} secret
 * @property {Record<string, number> | null} early early joiners by lane
 * @property {{round: number, value: string | null} | null} beacon
 */

const digest = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** Why a record proves nothing (`method`, `closed`, `secret`), or "" when it does. @param {DrawRecord} record */
export async function faultOf(record) {
  if (record?.method !== METHOD) return "method";
  if (record.secret === null || record.early === null) return "closed";
  return hex(await digest(fromHex(record.secret))) === record.commitment ? "" : "secret";
}

/**
 * The position, from 0, of the visitor who joined a lane as number `arrival`, from 0.
 * @param {DrawRecord} record
 * @param {string} lane
 * @param {number} arrival
 */
export async function placeOf(record, lane, arrival) {
  const early = record.early[lane] ?? 0;
  if (arrival >= early) return arrival;
  const seed = `${record.secret}|${record.beacon?.value ?? ""}`;
  const key = `${METHOD}|${record.zone_id}|${record.run}|${lane}|${seed}|${early}`;
  const bits = Math.max(2, Math.ceil((early - 1).toString(2).length / 2));
  const size = 2 ** bits;
  let value = arrival;
  do {
    let [left, right] = [Math.floor(value / size), value % size];
    for (let round = 0; round < ROUNDS; round += 1) {
      const mixed = await digest(new TextEncoder().encode(`${key}|${round}|${right}`));
      const number = ((mixed[0] * 256 + mixed[1]) * 256 + mixed[2]) * 256 + mixed[3];
      [left, right] = [right, left ^ (number % size)];
    }
    value = left * size + right;
  } while (value >= early);
  return value;
}
