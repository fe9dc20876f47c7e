// Lets what the waiting page waits for never come, on a clock of its own, and tells how the page went on.
//
// Arguments: assets folder (a copy that Node.js takes for modules), what hangs. Output: JSON.

import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";

const [assets, hangs] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${assets}/${name}`));

const START_MS = 1_790_000_000_000;
const LONGEST_SEC = 3_600;
let nowMs = START_MS;
let timers = [];
let made = 0;

const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
define("setTimeout", (action, ms = 0, ...told) => {
  timers.push({ id: (made += 1), atMs: nowMs + Math.max(0, ms), action: () => action(...told) });
  return made;
});
define("clearTimeout", (id) => (timers = timers.filter((timer) => timer.id !== id)));
Date.now = () => nowMs;
const sec = () => (nowMs - START_MS) / 1000;

/** Let time pass until something is so; what is due happens in its order. Null when it never is. */
async function when(isSo) {
  for (;;) {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    if (isSo()) return sec();
    timers.sort((one, other) => one.atMs - other.atMs || one.id - other.id);
    const next = timers.shift();
    if (!next || sec() > LONGEST_SEC) return null;
    nowMs = Math.max(nowMs, next.atMs);
    next.action();
  }
}

const never = () => new Promise(() => {});
const box = { checked: false, hidden: false, disabled: false, addEventListener: () => {}, closest: () => box };
const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
for (const [name, value] of Object.entries({
  document: { hidden: false, addEventListener: () => {}, getElementById: () => box, cookie: "" },
  addEventListener: () => {},
  navigator: { cookieEnabled: true, languages: ["de"] },
  location: { origin: "https://tickets.example", pathname: "/", search: "", replace: (url) => (page.gone = url) },
  localStorage: storage,
  sessionStorage: storage,
})) define(name, value);

const digested = (bytes) => new Uint8Array(createHash("sha256").update(bytes).digest()).buffer;
const NONCE = "abcdefghijklmnopqrst-_";
const solves = ({ challenge, solution }) =>
  challenge === "c.d.e" && createHash("sha256").update(`${NONCE}.${solution}`).digest()[0] === 0;
const CHALLENGE = { challenge: "c.d.e", nonce: NONCE, bits: 8, expires_at_ms: 0 };

/** A zone that lets nobody join without work, and calls everybody at once. */
const page = { joins: 0, proofs: [], claims: 0, looks: 0, notices: [], gone: "", working: [] };
const place = { run: 1, status: "waiting", lane: "general", position: 0, ahead: 0, estimate: null, phase: "open", joined_at_ms: START_MS, notice: null };
const answer = (code, body, problem = "") => Promise.resolve({ code, body, problem, retrySec: 0 });
const lane = () => ({ serving: 1, floor: 0, ahead: 1, tail: 1, speed_per_sec: 1 });
const api = {
  place: () => answer(401, null, "no-token"),
  join: (body) => {
    page.joins += 1;
    if (!body?.proof) return answer(428, { challenge: CHALLENGE }, "proof-needed");
    page.proofs.push(solves(body.proof));
    return answer(201, place);
  },
  claim: () => {
    page.claims += 1;
    return answer(201, {});
  },
  status: () => {
    page.looks += 1;
    return answer(200, {
      run: 1, tick: page.looks, phase: "open", lanes: { general: lane() }, poll: facts.poll, push_window: 0,
      starts_at_ms: null, updated_at_ms: nowMs, message: "",
    });
  },
  enterUrl: (to) => to,
  away: () => {},
  back: () => {},
};
const facts = {
  zone_id: "z", landing_path: "/events", starts_at_ms: null, claim_sec: 120, message: "", proves: true,
  poll: { near_sec: 1, far_sec: 30, near_ahead: 200 },
};

/** A visit of this page, until the visitor is in. */
async function visit() {
  const { Room } = await load("room.js");
  const view = { call: () => {}, show: ({ notice }) => notice !== page.notices.at(-1) && page.notices.push(notice) };
  console.error = () => (page.faults = (page.faults ?? 0) + 1);
  new Room(facts, "/events", api, { now: () => nowMs, atLeast: () => {} }, view).start();
  const inAfterSec = await when(() => page.gone !== "");
  const { joins, proofs, claims, looks, notices, faults = 0 } = page;
  return { inAfterSec, joins, proofs, claims, looks, notices, faults };
}

/** A worker that is never heard of, but for those whose number is in `answers`. */
function workers(answers, progress = []) {
  const life = { started: 0, terminated: 0, from: [] };
  define("Worker", class {
    #number = (life.started += 1);
    terminate() { life.terminated += 1; }
    postMessage({ nonce, bits, from }) {
      life.from.push(from);
      progress.forEach((number, at) => this.#number === 1 && setTimeout(() => this.onmessage?.({ data: number }), 8_000 * (at + 1)));
      if (!answers.includes(this.#number)) return;
      for (let number = from; ; number += 1) {
        if (new DataView(digested(`${nonce}.${number}`)).getUint32(0) >>> (32 - bits) === 0) {
          setTimeout(() => this.onmessage?.({ data: String(number) }), 100);
          return;
        }
      }
    }
  });
  return life;
}
define("crypto", { subtle: { digest: async (_, bytes) => digested(bytes) } });

const cases = {
  async "the first worker"() {
    const life = workers([2]);
    return { ...(await visit()), ...life };
  },
  async "a worker half way"() {
    const life = workers([2], [3, 5, 7]);
    return { ...(await visit()), ...life };
  },
  async "a worker that finds nothing"() {
    const life = workers([2], Array.from({ length: 60 }, (_, number) => number + 1));
    return { ...(await visit()), ...life };
  },
  async "every worker"() {
    const life = workers([]);
    return { ...(await visit()), ...life };
  },
  async "every worker and the page's own digest"() {
    const life = workers([]);
    crypto.subtle.digest = never;
    const healed = () => (crypto.subtle.digest = async (_, bytes) => digested(bytes));
    setTimeout(healed, 250_000);
    return { ...(await visit()), ...life };
  },
  async "nothing, but a challenge makes no sense"() {
    const { join } = api;
    api.join = (body) => (page.joins > 0 ? join(body) : join(body).then((told) => ({ ...told, body: null })));
    workers([1, 2]);
    return visit();
  },
  async "nothing, but a claim fails unforeseen"() {
    const { claim } = api;
    api.claim = () => (page.claims > 0 ? claim() : claim().then(() => Promise.reject(new Error("unforeseen"))));
    facts.proves = false;
    api.join = () => answer(201, place);
    return visit();
  },
  async "a request"() {
    define("fetch", (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))));
    return asked();
  },
  async "a request's answer"() {
    define("fetch", async (_, { signal }) => ({
      ok: true, status: 200, headers: new Headers(),
      text: () => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    }));
    return asked();
  },
  async "a language"() {
    define("fetch", (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))));
    const { textsOf } = await load("language.js");
    const { within } = await load("timed.js");
    const english = { language: "en" };
    const told = {};
    const coming = textsOf("de", english).then((texts) => (told.given_up = [texts.language, sec()]));
    within(2_000, coming, english).then((texts) => (told.begun = [texts.language, sec()]));
    await when(() => told.given_up && told.begun);
    return told;
  },
  async "a connection that opens"() {
    const opened = [];
    const closed = [];
    define("WebSocket", class {
      readyState = 0;
      constructor() { opened.push(sec()); }
      close() { closed.push(sec()); this.readyState = 3; this.onclose?.(); }
    });
    const { Push } = await load("push.js");
    new Push("z", () => {}, () => {}).want(true);
    await when(() => opened.length === 2);
    return { held_sec: closed[0] - opened[0], again: opened[1] > closed[0] };
  },
  async "a lock"() {
    navigator.locks = { request: () => Promise.reject(new DOMException("no", "SecurityError")) };
    define("BroadcastChannel", class { close() {} postMessage() {} });
    const { Tabs } = await load("tabs.js");
    let led = 0;
    const tabs = new Tabs("z", () => {}, () => (led += 1));
    tabs.open();
    await when(() => led > 0);
    return { leads: tabs.leads, led };
  },
  async "nothing, but showing fails"() {
    const { Feed } = await load("feed.js");
    const tabs = { leads: true, tell: () => {} };
    const feed = new Feed(api, { now: () => nowMs }, tabs, () => 5, () => { throw new Error("cannot be shown"); });
    process.on("unhandledRejection", () => {});
    feed.start();
    return { third_look_at_sec: await when(() => page.looks === 3) };
  },
  async "nothing, but a renewal's answer is torn"() {
    let renewals = 0;
    define("fetch", async () => {
      renewals += 1;
      return { ok: true, status: 200, headers: new Headers(), json: () => Promise.reject(new SyntaxError("torn")) };
    });
    const { Foyer } = await load("foyer.js");
    new Foyer("z");
    await when(() => sec() >= 100);
    return { renewals };
  },
};

/** What the page is told of a request for its place, and when. */
async function asked() {
  const { Api } = await load("api.js");
  const told = {};
  new Api("z", { observe: () => {}, now: () => nowMs }).place().then(({ code }) => Object.assign(told, { code, sec: sec() }));
  await when(() => "code" in told);
  return told;
}

process.stdout.write(JSON.stringify(await cases[hangs]()));
process.exit(0);
