/** The status document as it changes: read by this tab, or by another one that tells it. */

import { Alarm } from "./alarm.js";
import { unforeseen } from "./api.js";
import { isNewer } from "./line.js";
import { backoffSec } from "./pace.js";

const WAKE_AT_MOST_EVERY_MS = 1_000;
// A tab that leads may be slowed down in the background: whoever hears nothing for longer than usual asks by itself.
const PATIENCE = 1.5;

export class Feed {
  #api;
  #clock;
  #tabs;
  #delaySec;
  #changed;
  #status = null;
  #polling = false;
  #stopped = false;
  #polledAtMs = -Infinity;
  #alarm = new Alarm();

  /** Failures in a row. */
  failures = 0;
  /** How old the document was when it was read last, milliseconds. */
  staleness = 0;

  /**
   * @param {import("./api.js").Api} api
   * @param {import("./clock.js").ServerClock} clock
   * @param {import("./tabs.js").Tabs} tabs
   * @param {() => number} delaySec seconds until the next read
   * @param {() => void} changed called after every read
   */
  constructor(api, clock, tabs, delaySec, changed) {
    this.#api = api;
    this.#clock = clock;
    this.#tabs = tabs;
    this.#delaySec = delaySec;
    this.#changed = changed;
  }

  /** The newest document, null before the first. */
  get status() {
    return this.#status;
  }

  /** Forget a document that says nothing about the place there is. */
  drop() {
    this.#status = null;
  }

  start() {
    this.#stopped = false;
    this.#poll();
  }

  stop() {
    this.#stopped = true;
    this.#alarm.clear();
  }

  /** Ask soon, but not twice in a second however often that is called for. */
  wake() {
    if (this.#polling || this.#stopped) return;
    const sinceMs = Date.now() - this.#polledAtMs;
    this.#alarm.set(sinceMs >= 0 ? Math.max(0, WAKE_AT_MOST_EVERY_MS - sinceMs) / 1000 : 0, () => this.#poll());
  }

  /** Take a document that another tab has read. */
  hear(document) {
    if (this.#polling || this.#stopped) return;
    this.#take(document);
    this.#tell(() => this.#delaySec() * PATIENCE);
  }

  async #poll() {
    if (this.#polling || this.#stopped) return;
    this.#polling = true;
    this.#alarm.clear();
    const { code, body, retrySec } = await this.#api.status().catch(unforeseen);
    this.#polling = false;
    this.#polledAtMs = Date.now();
    if (code === 200) {
      this.#take(body);
      this.#tabs.tell("status", body);
    } else {
      this.failures += 1;
    }
    this.#tell(() => {
      const wait = this.failures > 0 ? backoffSec(this.failures, Math.random(), retrySec) : this.#delaySec();
      // Those who follow leave the next read to the tab that leads, and make it themselves if that stays silent.
      return this.#tabs.leads ? wait : wait * PATIENCE;
    });
  }

  /** Say that something is new, and read again in a while: also when whoever is told fails at it. */
  #tell(delaySec) {
    try {
      this.#changed();
    } finally {
      if (!this.#stopped) this.#alarm.set(delaySec(), () => this.#poll());
    }
  }

  #take(document) {
    this.failures = 0;
    if (isNewer(document, this.#status)) this.#status = document;
    this.staleness = this.#status ? this.#clock.now() - this.#status.updated_at_ms : 0;
  }
}
