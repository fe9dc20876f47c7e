/** What a place and a status document mean together. Nothing here touches the page or the network. */

/**
 * @typedef {object} Place as GET visitors/me answers it
 * @property {number} run
 * @property {string} status
 * @property {string} lane
 * @property {number | null} position
 * @property {number | null} ahead
 * @property {{low_sec: number, high_sec: number} | null} estimate
 * @property {string} phase
 * @property {number} told_at_ms server's time when the browser was told
 * @property {number} joined_at_ms
 * @property {string | null} notice
 * @property {boolean} phone_needed
 */

const STATE_OF_PROBLEM = {
  lapsed: "lapsed",
  "run-over": "ended",
  "sold-out": "sold_out",
  "hard-end": "hard_end",
  "already-completed": "completed",
  forbidden: "revoked",
  machine: "machine",
  moved: "moved",
  "unknown-zone": "unknown",
  "no-cookies": "cookies",
  "sign-in": "sign_in",
};
/** States in which the visitor waits and has something to lose. */
export const HOLDS_A_PLACE = new Set(["before", "starting", "placing", "waiting", "next", "paused", "locked", "shut"]);

const FINAL = new Set(["revoked", "completed", "left", "lapsed"]);
const SPEED_SPREAD = 0.2;

/** The state that a refusal leads to, or "" when asking again may help. @param {string} problem */
export const stateOfProblem = (problem) => STATE_OF_PROBLEM[problem] ?? "";

/** Whether `next` is not older than `last`; documents may arrive out of order from different caches. */
export function isNewer(next, last) {
  if (!next || typeof next.run !== "number") return false;
  return !last || next.run > last.run || (next.run === last.run && next.tick >= last.tick);
}

/**
 * What the visitor's part of the line looks like.
 * @param {Place | null} place
 * @param {any} status the status document, null before the first
 */
export function standing(place, status) {
  const lane = (status?.run === place?.run && status?.lanes?.[place?.lane]) || null;
  const position = place?.position ?? null;
  // A document from before the server told the place knows less: with nobody at work on the zone it may be old.
  const phase = (status && !(status.updated_at_ms < place?.told_at_ms) ? status.phase : place?.phase) ?? "";
  if (position === null) return { phase, position, ahead: null, speed: 0, called: place?.status === "called", passed: false, dropped: false };
  const ahead = lane ? Math.max(0, position - lane.serving) : place.ahead;
  const called = place.status === "called" || Boolean(lane && (position < lane.serving || position < lane.ahead));
  const passed = Boolean(lane && position < lane.floor);
  const dropped = passed && place.status === "waiting";
  return { phase, position, ahead, speed: lane?.speed_per_sec ?? 0, called, passed, dropped };
}

/**
 * The one state the page shows, in the order of what matters most to the visitor.
 * @param {Place | null} place
 * @param {any} status
 * @param {string} ending a state the server's last refusal led to, "" without one
 * @param {boolean} started whether the start is past, by the server's clock
 * @param {boolean} opened whether places may be taken, by the same clock
 */
export function stateOf(place, status, ending, started, opened = true) {
  const { phase, ahead, called } = standing(place, status);
  if (phase === "passing") return "passing";
  if (phase === "ended") return "ended";
  if (ending) return ending;
  if (place && status && status.run > place.run) return "run_over";
  if (FINAL.has(place?.status)) return place.status;
  if (phase === "locked") return place?.status === "admitted" ? "locked_inside" : "locked";
  if (place?.status === "admitted") return "entering";
  if (phase === "sold_out") return "sold_out";
  if (!place) return opened ? "loading" : "unopened";
  if (phase === "paused") return "paused";
  if (phase === "before") return started ? "starting" : "before";
  if (status?.door === "shut") return called ? "shut_called" : "shut";
  if (called) return place.phone_needed ? "phone" : "called";
  if (ahead === null) return "placing";
  return ahead === 0 ? "next" : "waiting";
}

/**
 * Seconds until the call as a range: the uncertainty of the speed plus two deviations of a Poisson count of calls.
 * @returns {{low_sec: number, high_sec: number} | null} null while the speed is not known
 */
export function estimate(ahead, speedPerSec) {
  if (ahead === null || !(speedPerSec > 0)) return null;
  const count = ahead + 1;
  const spread = Math.min(0.9, SPEED_SPREAD + 1 / Math.sqrt(count));
  const wait = count / speedPerSec;
  return { low_sec: Math.floor(wait * (1 - spread)), high_sec: Math.ceil(wait * (1 + spread)) };
}

/**
 * How far this browser has come since it first saw its place, remembered so that no reload takes it back.
 * It is kept for all tabs: two tabs that show different progress would raise doubts about the line.
 */
export class Progress {
  #key;

  /** @param {string} zoneId */
  constructor(zoneId) {
    this.#key = `foyer.progress.${zoneId}`;
    this.memory = null;
  }

  /** Whether this browser had a place in this zone before. */
  get remembers() {
    return Boolean(this.#read());
  }

  /** Fraction of the way, 0 to 1, never less than before. @param {Place} place @param {number} ahead */
  of(place, ahead) {
    const id = `${place.run}/${place.position}/${place.joined_at_ms}`;
    const known = this.#read();
    const kept = known?.id === id ? known : { id, from: ahead, best: 0 };
    // Called, and in line again: an operator gave places back.
    if (kept.best === 1 && ahead > 0) Object.assign(kept, { from: ahead, best: 0 });
    kept.from = Math.max(kept.from, ahead);
    kept.best = Math.max(kept.best, kept.from > 0 ? 1 - ahead / kept.from : 1);
    this.#write(kept);
    return kept.best;
  }

  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.#key)) ?? this.memory;
    } catch {
      return this.memory;
    }
  }

  #write(kept) {
    this.memory = kept;
    try {
      localStorage.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // Storage is full or forbidden: this tab remembers by itself.
    }
  }
}
