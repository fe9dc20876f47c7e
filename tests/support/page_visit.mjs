// Runs the waiting page's own script through visits on a clock of its own, and counts what it asks for.
//
// Input (JSON on standard input): assets folder, visits, wait_sec, speed_per_sec, poll, claim_sec.
// Output: {"status": n, "place": n, "join": n, "claim": n, "sockets": n, "socket_min": n}, the sums of all visits.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const given = JSON.parse(readFileSync(0, "utf8"));
const { Room } = await import(pathToFileURL(`${given.assets}/room.js`));

let nowMs = 1_790_000_000_000;
let timers = [];
let made = 0;
let seed = 1;

Date.now = () => nowMs;
globalThis.setTimeout = (action, ms) => timers.push({ id: ++made, atMs: nowMs + Math.max(0, ms), action }) && made;
globalThis.clearTimeout = (id) => { timers = timers.filter((timer) => timer.id !== id); };
// mulberry32: the same visits every time.
Math.random = () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

const storage = { getItem: () => null, setItem: () => {} };
const box = { checked: false, hidden: false, addEventListener: () => {}, closest: () => box };
const page = {
  document: { hidden: false, addEventListener: () => {}, getElementById: () => box },
  addEventListener: () => {},
  navigator: { cookieEnabled: true },
  location: { origin: "https://tickets.example", replace: () => { gone = true; } },
  localStorage: storage,
  sessionStorage: storage,
};
for (const [name, value] of Object.entries(page)) Object.defineProperty(globalThis, name, { value, configurable: true });

let gone = false;
const counts = { status: 0, place: 0, join: 0, claim: 0, sockets: 0, socket_min: 0 };

/** A connection that opens at once and says nothing: the call is learnt by looking, at the latest. */
globalThis.WebSocket = class {
  readyState = 1;
  #openedMs = nowMs;
  constructor() {
    counts.sockets += 1;
    setTimeout(() => this.onopen?.(), 0);
  }
  send() {}
  close() {
    if (this.readyState === 1) counts.socket_min += (nowMs - this.#openedMs) / 60_000;
    this.readyState = 3;
  }
};

/** One visitor, who waits `wait_sec` behind a line that moves steadily. */
async function visit() {
  const startMs = nowMs;
  gone = false;
  timers = [];
  const served = () => Math.floor(((nowMs - startMs) / 1000) * given.speed_per_sec);
  const position = Math.floor(given.wait_sec * given.speed_per_sec);
  const place = () => ({
    run: 1, status: "waiting", lane: "general", position, ahead: Math.max(0, position - served()), estimate: null,
    phase: "open", joined_at_ms: startMs, notice: null,
  });
  const answer = (name, code, body, problem = "") => {
    counts[name] += 1;
    return Promise.resolve({ code, body, problem, retrySec: 0 });
  };
  const lane = () => ({ serving: served(), floor: 0, ahead: served(), tail: position + 1, speed_per_sec: given.speed_per_sec });
  const api = {
    place: () => answer("place", 401, null, "no-token"),
    join: () => answer("join", 201, place()),
    claim: () => answer("claim", 201, {}),
    status: () => answer("status", 200, {
      run: 1, tick: Math.floor((nowMs - startMs) / 1000), phase: "open", lanes: { general: lane() }, poll: given.poll,
      push_window: given.push_window, starts_at_ms: null, updated_at_ms: nowMs - 1000, message: "",
    }),
    enterUrl: (to) => to,
    away: () => {},
    back: () => {},
  };
  const facts = { zone_id: "z", landing_path: "/", starts_at_ms: null, claim_sec: given.claim_sec, poll: given.poll, message: "" };
  new Room(facts, "/", api, { now: () => nowMs, atLeast: () => {} }, { show: () => {}, call: () => {} }).start();
  for (let turns = 0; !gone; turns += 1) {
    await new Promise(setImmediate);
    if (gone || turns > 100_000) break;
    timers.sort((one, other) => one.atMs - other.atMs || one.id - other.id);
    const next = timers.shift();
    if (!next) throw new Error("the page sleeps for ever");
    nowMs = Math.max(nowMs, next.atMs);
    next.action();
  }
  // The next one arrives at another moment of the second.
  nowMs += 1_000 + Math.floor(Math.random() * 1_000);
}

for (let number = 0; number < given.visits; number += 1) await visit();
console.log(JSON.stringify(counts));
