/**
 * foyer.js: for single-page sites behind a waiting room. No dependencies; see the README beside this folder.
 *
 *   import { Foyer } from "/.waiting-room/assets/foyer.js";
 *   const foyer = new Foyer("midnight-sun", { onWaiting: (refusal) => showLine(refusal) });
 *   const answer = await foyer.fetch("/api/tickets");
 */

const PREFIX = "/.waiting-room";
const FIRST_BEAT_SEC = 20;
const ACTIVE_MS = 120_000;
const soon = () => AbortSignal.timeout?.(10_000);

/** Raised where the page decides itself what to show: a request was refused because there is a line. */
export class Waiting extends Error {
  /** @param {{zoneId: string, enterUrl: string, retrySec: number, status: number}} refusal */
  constructor(refusal) {
    super("There is a line: the visitor waits.");
    this.name = "Waiting";
    Object.assign(this, refusal);
  }
}

export class Foyer {
  #zone;
  #waiting;
  #ended;
  #timer = 0;
  #activeAtMs = Date.now();

  /**
   * @param {string} zoneId
   * @param {object} [options]
   * @param {(refusal: Waiting) => void} [options.onWaiting] called instead of going to the waiting page
   * @param {(problem: string) => void} [options.onEnded] the session is over: "lapsed", "hard-end", "run-over"
   * @param {boolean} [options.heartbeat] renew the session while the visitor is active; for zones of kind "script"
   */
  constructor(zoneId, { onWaiting, onEnded, heartbeat = true } = {}) {
    this.#zone = `${PREFIX}/v1/zones/${encodeURIComponent(zoneId)}`;
    this.zoneId = zoneId;
    this.#waiting = onWaiting;
    this.#ended = onEnded;
    const active = () => (this.#activeAtMs = Date.now());
    for (const kind of ["pointerdown", "keydown", "scroll", "touchstart"]) {
      addEventListener(kind, active, { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      active();
      if (heartbeat && this.#timer) this.#beat();
    });
    if (heartbeat) this.#later(FIRST_BEAT_SEC);
  }

  /** As `fetch`; where there is a line, the visitor goes to the waiting page, or `onWaiting` is called. */
  async fetch(input, init) {
    const response = await fetch(input, init);
    const refusal = await this.#refusalOf(response);
    if (!refusal) return response;
    if (this.#waiting) this.#waiting(refusal);
    else location.assign(this.enterUrl());
    throw refusal;
  }

  /** The address that leads through the line and back to this page. */
  enterUrl() {
    return `${this.#zone}/enter?to=${encodeURIComponent(location.pathname + location.search)}`;
  }

  /** The visitor's place, for pages that show it themselves; null without one. Rejects when nobody can tell. */
  async place() {
    const response = await fetch(`${this.#zone}/visitors/me`, { headers: { accept: "application/json" }, signal: soon() });
    if (response.ok) return response.json();
    if ([401, 404].includes(response.status)) return null;
    throw new Error(response.status);
  }

  /** Ask to be let in: true when done, else the seconds to wait. */
  async claim() {
    const response = await fetch(`${this.#zone}/access-tokens`, { method: "POST", signal: soon() });
    if (response.status === 201) return true;
    return Number(response.headers.get("retry-after")) || 5;
  }

  /** The visitor is done: the next one gets the slot at once. */
  async leave() {
    this.stop();
    await fetch(`${this.#zone}/sessions/me`, { method: "DELETE", keepalive: true, signal: soon() });
  }

  /** No more heartbeats. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  async #refusalOf(response) {
    if (response.status !== 429 || !response.headers.get("content-type")?.includes("problem+json")) return null;
    const problem = await response.clone().json().catch(() => null);
    if (problem?.type !== "urn:foyer:problem:waiting") return null;
    const retrySec = Number(response.headers.get("retry-after")) || 5;
    return new Waiting({ zoneId: this.zoneId, enterUrl: this.enterUrl(), retrySec, status: 429 });
  }

  #later(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#beat(), seconds * 1000);
  }

  async #beat() {
    this.#later(FIRST_BEAT_SEC);
    // Nobody is there: the lease ends by itself, and whoever comes back is let in again while it is fresh.
    if (document.hidden || Date.now() - this.#activeAtMs > ACTIVE_MS) return;
    try {
      const response = await fetch(`${this.#zone}/sessions/me/renewals`, { method: "POST", signal: soon() });
      const body = await response.json().catch(() => ({}));
      if (response.ok && body.expires_at_ms) {
        // Twice in each lease: one heartbeat may get lost.
        this.#later(Math.max(5, (body.expires_at_ms - this.#serverNow(response)) / 2000));
      } else if (body.type && [401, 403, 410].includes(response.status)) {
        this.stop();
        this.#ended?.(body.type.split(":").pop());
      }
    } catch {
      // No network: the next heartbeat tries again.
    }
  }

  #serverNow(response) {
    return Date.parse(response.headers.get("date") ?? "") || Date.now();
  }
}
