// The waiting room's public keys: fetched when needed, kept while they cannot be. jose reads them; its remote key set is
// not what keeps them, for that one lets go of the keys it had when the key set cannot be had.
import { importJWK } from "jose";

import { KeysUnavailable } from "./errors.js";

/** How old keys may be before they are asked for again: a withdrawn one counts no longer than that. */
export const FRESH_MS = 300_000;

/** The least time between two questions, whatever came of the first: nobody's made-up key id makes us ask more often. */
export const ASK_AGAIN_MS = 10_000;

/** How long keys count while the key set cannot be had. */
export const KEPT_MS = 86_400_000;

/** Keys by their id. One request asks; the others go by the keys there are, and wait only for one there is not. */
export class KeySet {
  #fetchKeys;
  #now;
  #asking = null;
  #keys = new Map();
  #fetchedAt = -Infinity;
  #askedAt = -Infinity;

  /** `fetchKeys` resolves to the key set (RFC 7517); `now` gives milliseconds. */
  constructor(fetchKeys, now) {
    this.#fetchKeys = fetchKeys;
    this.#now = now;
  }

  /** The key with this id, or undefined when there is none. Throws KeysUnavailable. */
  async find(kid) {
    const known = this.#keys.get(kid);
    if (known && this.#now() - this.#fetchedAt < FRESH_MS) return known;
    if (this.#asking) {
      if (!known) await this.#asking;
    } else if (this.#now() - this.#askedAt >= ASK_AGAIN_MS) {
      this.#asking = this.#ask().finally(() => (this.#asking = null));
      await this.#asking;
    }
    if (this.#now() - this.#fetchedAt >= KEPT_MS) {
      throw new KeysUnavailable("the waiting room's key set cannot be had");
    }
    return this.#keys.get(kid);
  }

  async #ask() {
    this.#askedAt = this.#now();
    try {
      const { keys: listed } = await this.#fetchKeys();
      const ours = listed.filter((jwk) => jwk.kid && jwk.kty === "EC" && jwk.crv === "P-256" && jwk.alg === "ES256");
      const keys = new Map(await Promise.all(ours.map(async (jwk) => [jwk.kid, await importJWK(jwk)])));
      if (keys.size) [this.#keys, this.#fetchedAt] = [keys, this.#now()];
    } catch {
      // What was had before goes on counting; without any, `find` says so.
    }
  }
}
