/** Remembers when this tab left for the site, so that a visitor sent back at once does not go in circles. */

const BOUNCE_MS = 15_000;
const LONGEST_DELAY_SEC = 30;

export class Departures {
  #key;
  #bounces = 0;
  #notBeforeMs = 0;

  /** @param {string} zoneId */
  constructor(zoneId) {
    this.#key = `foyer.departure.${zoneId}`;
    const last = this.#read();
    if (last && Date.now() - last.atMs < BOUNCE_MS + this.#pauseSec(last.bounces) * 1000) {
      this.#bounces = last.bounces + 1;
      this.#notBeforeMs = Date.now() + this.#pauseSec(this.#bounces) * 1000;
    }
  }

  /** Seconds to wait before leaving: none, unless the last departure led straight back here. */
  delaySec() {
    return Math.max(0, (this.#notBeforeMs - Date.now()) / 1000);
  }

  leave() {
    try {
      sessionStorage.setItem(this.#key, JSON.stringify({ atMs: Date.now(), bounces: this.#bounces }));
    } catch {
      // Storage is forbidden: a circle then goes as fast as the pages load, which the server's limits bear.
    }
  }

  #pauseSec(bounces) {
    return bounces > 0 ? Math.min(LONGEST_DELAY_SEC, 2 ** bounces) * (1 + Math.random() / 4) : 0;
  }

  #read() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#key));
    } catch {
      return null;
    }
  }
}
