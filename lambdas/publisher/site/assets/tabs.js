/** The tabs of one browser in one line: one of them asks for all, and all show the same. */

/**
 * Whoever holds the lock leads. Browsers that know no locks or channels have tabs that each lead themselves.
 */
export class Tabs {
  #name;
  #heard;
  #channel = null;
  #release = null;
  #closed = true;
  #leads = false;
  #led;

  /**
   * @param {string} zoneId
   * @param {(kind: string, data: any) => void} heard what another tab tells
   * @param {() => void} led this tab leads from now on
   */
  constructor(zoneId, heard, led) {
    this.#name = `foyer.line.${zoneId}`;
    this.#heard = heard;
    this.#led = led;
  }

  /** Whether this tab asks for all of them. */
  get leads() {
    return this.#leads;
  }

  open() {
    if (!this.#closed) return;
    this.#closed = false;
    if (!globalThis.BroadcastChannel || !navigator.locks) {
      this.#leads = true;
      return;
    }
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#heard(data.kind, data.data);
    const ends = new AbortController();
    this.#release = () => ends.abort();
    navigator.locks
      .request(this.#name, { signal: ends.signal }, () => this.#lead(ends.signal))
      // No lock can be had here, whoever holds it: like a browser that knows none.
      .catch(() => ends.signal.aborted || this.#lead(ends.signal));
  }

  /** Let another tab lead; a page in the back/forward cache must hold neither lock nor channel. */
  close() {
    this.#closed = true;
    this.#leads = false;
    this.#release?.();
    this.#channel?.close();
    this.#channel = this.#release = null;
  }

  /** @param {string} kind @param {any} data */
  tell(kind, data) {
    this.#channel?.postMessage({ kind, data });
  }

  #lead(signal) {
    this.#leads = true;
    this.#led();
    return new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
}
