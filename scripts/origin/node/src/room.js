// One zone's waiting room, as the site's own servers use it.
import { confirmation, judged, requireReference, Verdict } from "./confirmations.js";
import { BadSettings, KeysUnavailable, NotAdmitted } from "./errors.js";
import { KeySet } from "./keys.js";
import { checkedSettings, readEnvironment } from "./settings.js";
import { readVisit } from "./visits.js";

const TRIES = 3;
const FIRST_PAUSE_MS = 250;
const KEYS_TIMEOUT_MS = 3000;
const AGAIN = [429, 500, 502, 503, 504];
const SECONDS = /^[0-9]{1,6}$/;

/** Checks visits and confirms purchases; made once for each zone. `world` stands in for network and time in tests. */
export class WaitingRoom {
  #keys;
  #world;

  constructor(settings, world = {}) {
    this.settings = checkedSettings(settings);
    this.#world = { fetch: globalThis.fetch, now: () => performance.now(), sleep: pause, log: console.warn, ...world };
    this.#keys = new KeySet(() => this.#fetchKeys(), this.#world.now);
  }

  /** A waiting room by the FOYER_ variables of the environment; `given` replaces some. Throws BadSettings. */
  static fromEnv(given = {}, environment = process.env) {
    return new WaitingRoom(readEnvironment(environment, given));
  }

  /** Who sent a request with these headers. Throws NotAdmitted, or KeysUnavailable when that cannot be told. */
  check(headers) {
    return readVisit(headers, this.settings, this.#keys);
  }

  /** Express middleware: answers 403 to whoever did not come in through the waiting room; else sets `request.visit`. */
  express() {
    return async (request, response, next) => {
      try {
        request.visit = await this.check(request.headers);
      } catch (error) {
        return refuse(error, response, next);
      }
      return next();
    };
  }

  /**
   * Spend a visit, or its token, on the purchase with this reference; asked again, the same answer.
   *
   * `checkout` completes the visit and gives its room to the next in line; without it the visit is only tied to the
   * purchase. Asks up to three times. A visit without a session has nothing to spend and is confirmed at once.
   * Throws BadReference, and BadSettings without a site key.
   */
  async confirm(visit, reference, { checkout = true } = {}) {
    requireReference(reference);
    const token = tokenOf(visit);
    if (!token) {
      return confirmation(Verdict.CONFIRMED, reference, { detail: "no session: the gate let this one pass" });
    }
    const { siteKey, zoneId } = this.settings;
    if (siteKey === undefined) {
      throw new BadSettings(["siteKey (FOYER_SITE_KEY) is missing: purchases are confirmed with it"]);
    }
    const answer = await this.#ask("POST", "/.waiting-room/v1/confirmations", siteKey, { token, reference, checkout });
    const told = judged(answer, zoneId, reference, checkout);
    if (told.verdict === Verdict.REFUSED || told.verdict === Verdict.UNSURE) {
      this.#world.log(`foyer-origin: purchase ${JSON.stringify(reference)} is ${told.verdict}: ${told.detail}`);
    }
    return told;
  }

  /**
   * End a visit that bought nothing, so that the next in line comes in; false when that is not sure. An answer to the
   * visitor then takes `endVisitCookies` along.
   */
  async leave(visit) {
    const token = tokenOf(visit);
    if (!token) return true;
    const path = `/.waiting-room/v1/zones/${this.settings.zoneId}/sessions/me`;
    return (await this.#ask("DELETE", path, token))?.status === 204;
  }

  /**
   * The first answer that settles it; else the last one, null where there was none. All that is asked for here is the
   * same when it is done twice, and so may be asked for again.
   */
  async #ask(method, path, bearer, body) {
    const { now, sleep } = this.#world;
    const until = now() + TRIES * this.settings.timeoutSec * 1000;
    let answer = null;
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      answer = (await this.#try(method, path, bearer, body)) ?? answer;
      if (answer && !AGAIN.includes(answer.status)) return answer;
      const told = answer?.retryAfterSec;
      // Spread out, so that the servers of a crowd do not come back all at once.
      const wait = (told === undefined ? FIRST_PAUSE_MS * 2 ** attempt : told * 1000) * (1 + Math.random() / 2);
      if (attempt + 1 === TRIES || now() + wait >= until) break;
      await sleep(wait);
    }
    return answer;
  }

  async #try(method, path, bearer, body) {
    const headers = { authorization: `Bearer ${bearer}`, accept: "application/json" };
    if (body) headers["content-type"] = "application/json";
    try {
      const answer = await this.#send(path, this.settings.timeoutSec * 1000, {
        method,
        headers,
        body: body && JSON.stringify(body),
      });
      const told = answer.headers.get("retry-after") ?? "";
      const retryAfterSec = SECONDS.test(told) ? Number(told) : undefined;
      return { status: answer.status, retryAfterSec, document: readObject(await answer.text()) };
    } catch {
      return null;
    }
  }

  async #fetchKeys() {
    const answer = await this.#send("/.waiting-room/jwks.json", KEYS_TIMEOUT_MS);
    if (!answer.ok) throw new Error(`the key set was answered with ${answer.status}`);
    return answer.json();
  }

  #send(path, timeoutMs, request = {}) {
    const url = new URL(path, this.settings.siteUrl);
    return this.#world.fetch(url, { ...request, redirect: "manual", signal: AbortSignal.timeout(Math.ceil(timeoutMs)) });
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function tokenOf(visit) {
  return typeof visit === "string" ? visit : visit.token;
}

function readObject(text) {
  try {
    const document = JSON.parse(text);
    return document && typeof document === "object" ? document : {};
  } catch {
    return {};
  }
}

function refuse(error, response, next) {
  if (!(error instanceof NotAdmitted || error instanceof KeysUnavailable)) return next(error);
  const headers = { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" };
  if (error instanceof KeysUnavailable) {
    response.writeHead(503, { ...headers, "Retry-After": String(error.retryAfterSec) });
    return response.end("Please try again in a moment.");
  }
  response.writeHead(403, headers);
  return response.end("Please come in by the front door.");
}
