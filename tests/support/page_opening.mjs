// Runs the waiting page's own script from before the opening of a line, on a clock of its own, and tells when it asks.
//
// Input (JSON on standard input): assets folder, opens_in_sec, remembers (whether the browser had a place before), document
// (whether there is a status document).
// Output: {"joins": [seconds after the opening], "places": n, "states": [as shown, each once]}.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const given = JSON.parse(readFileSync(0, "utf8"));
const { Room } = await import(pathToFileURL(`${given.assets}/room.js`));

const START_MS = 1_790_000_000_000;
let nowMs = START_MS;
let timers = [];
let made = 0;

Date.now = () => nowMs;
globalThis.setTimeout = (action, ms) => timers.push({ id: ++made, atMs: nowMs + Math.max(0, ms), action }) && made;
globalThis.clearTimeout = (id) => { timers = timers.filter((timer) => timer.id !== id); };

const remembered = given.remembers ? JSON.stringify({ id: "1/0/0", from: 5, best: 1 }) : null;
const storage = { getItem: (key) => (key.startsWith("foyer.progress") ? remembered : null), setItem: () => {} };
const box = { checked: false, hidden: false, addEventListener: () => {}, closest: () => box };
const page = {
  document: { hidden: false, addEventListener: () => {}, getElementById: () => box },
  addEventListener: () => {},
  navigator: { cookieEnabled: true },
  location: { origin: "https://tickets.example", replace: () => {} },
  localStorage: storage,
  sessionStorage: storage,
};
for (const [name, value] of Object.entries(page)) Object.defineProperty(globalThis, name, { value, configurable: true });

const opensAtMs = START_MS + given.opens_in_sec * 1000;
const told = { joins: [], places: 0, states: [] };
let place = null;
const lanes = { general: { serving: 0, floor: 0, ahead: 0, tail: 1, speed_per_sec: 0 } };
const poll = { near_sec: 2, far_sec: 45, near_ahead: 200 };
const moments = { starts_at_ms: opensAtMs + 3_600_000, opens_at_ms: opensAtMs };
const answer = (code, body, problem = "", retrySec = 0) => Promise.resolve({ code, body, problem, retrySec });
const api = {
  place: () => {
    told.places += 1;
    return place ? answer(200, place) : answer(401, null, "no-token");
  },
  join: () => {
    told.joins.push((nowMs - opensAtMs) / 1000);
    if (nowMs < opensAtMs) return answer(409, { opens_at_ms: opensAtMs }, "not-open", Math.ceil((opensAtMs - nowMs) / 1000));
    place = { run: 1, status: "waiting", lane: "general", position: 0, ahead: null, estimate: null, phase: "before", joined_at_ms: nowMs };
    return answer(201, place);
  },
  status: () => {
    if (!given.document) return answer(404, null);
    return answer(200, { run: 1, tick: 1, phase: "before", lanes, poll, push_window: 0, updated_at_ms: START_MS, message: "", ...moments });
  },
  enterUrl: (to) => to,
  away: () => {},
  back: () => {},
};
const facts = { zone_id: "z", landing_path: "/", claim_sec: 120, poll, message: "", ...moments };
const view = { show: ({ state }) => told.states.at(-1) !== state && told.states.push(state), call: () => {} };
new Room(facts, "/", api, { now: () => nowMs, atLeast: () => {} }, view).start();
while (nowMs < opensAtMs + 30_000) {
  await new Promise(setImmediate);
  timers.sort((one, other) => one.atMs - other.atMs || one.id - other.id);
  const next = timers.shift();
  if (!next) throw new Error("the page sleeps for ever");
  nowMs = Math.max(nowMs, next.atMs);
  next.action();
}
console.log(JSON.stringify(told));
process.exit(0);
