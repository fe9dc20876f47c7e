/** What a site's own servers do behind Foyer, the virtual waiting room: check who comes in, confirm what is bought. */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";

/** One zone of one deployment. */
export interface Settings {
  /** Where visitors reach the site: `https://tickets.example.com`. The waiting room is asked there too. */
  siteUrl: string;
  zoneId: string;
  /** The deployment's name, as its tokens have it. */
  issuer: string;
  /** The zone's site key; only a server that confirms purchases needs it. */
  siteKey?: string;
  /** What CloudFront sends as `x-origin-secret`. Without it only a token lets in, and no header is believed. */
  originSecret?: string;
  /** Lets in tokens of this run alone. Without it the gate and the confirmation see to that. */
  run?: number;
  /** How long one try to confirm may take (5 unless said); there are three at most. */
  timeoutSec?: number;
}

/**
 * Somebody whom the gate let in. With a session (`sessionId`, `token`) it is a visitor admitted through the line.
 * Without one the gate let them pass on purpose: staff and machines that are exempt (`exempt` says which), or everybody
 * while the gate is open (`open` says why: `pass`, `observe`, `preflight`, or `no-snapshot`).
 */
export interface Visit {
  readonly zoneId: string;
  readonly visitorId: string;
  readonly sessionId: string;
  readonly lane: string;
  readonly exempt: string;
  readonly open: string;
  readonly run: number;
  /** When the token runs out, in seconds since 1970; a renewed visit has a new one. */
  readonly expiresAtSec: number;
  /** The access token, not enumerable. Whoever has it can be this visitor: never log it. */
  readonly token: string;
}

/** The answer to a purchase. Only CONFIRMED sells; only UNSURE leaves open whether it was. */
export declare const Verdict: {
  /** The visit is this purchase's: sell. The same reference again gets the same answer. */
  readonly CONFIRMED: "confirmed";
  /** The visit had ended before: sell nothing, the visitor may join the line again. */
  readonly OVER: "over";
  /** The visit is another purchase's: sell nothing. Each visit is good for one. */
  readonly USED: "used";
  /** No valid token of the zone's current run: sell nothing. */
  readonly UNKNOWN: "unknown";
  /** The visit was revoked, or the settings are wrong (the site key, say): sell nothing, and look at `detail`. */
  readonly REFUSED: "refused";
  /** No answer that says. It may have been confirmed: neither sell nor give up, but ask again, same reference. */
  readonly UNSURE: "unsure";
};
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** What came of a purchase. */
export interface Confirmation {
  readonly verdict: Verdict;
  readonly reference: string;
  /** Empty without a session or an answer. */
  readonly status: "admitted" | "completed" | "";
  /** For a log: what the waiting room said, or that it said nothing. */
  readonly detail: string;
  /** With UNSURE: seconds after which to ask again. */
  readonly retryAfterSec: number;
  /** Set-Cookie values for the answer to the visitor: they end a visit that is over, and are none while it is not. */
  readonly cookies: readonly string[];
}

/** A request that was let in by `WaitingRoom.express()`. */
export type Guarded<Request = IncomingMessage> = Request & { visit: Visit };

/** Stands in for network and time in tests. Times are milliseconds. */
export interface World {
  fetch?: typeof globalThis.fetch;
  now?: () => number;
  sleep?: (milliseconds: number) => Promise<void>;
  log?: (text: string) => void;
}

/** Checks visits and confirms purchases; made once for each zone. */
export declare class WaitingRoom {
  readonly settings: Readonly<Settings>;

  /** Throws BadSettings with every fault at once. */
  constructor(settings: Settings, world?: World);

  /** A waiting room by the FOYER_ variables of the environment; `given` replaces some. Throws BadSettings. */
  static fromEnv(given?: Partial<Settings>, environment?: Record<string, string | undefined>): WaitingRoom;

  /** Who sent a request with these headers. Throws NotAdmitted, or KeysUnavailable when that cannot be told. */
  check(headers: IncomingHttpHeaders | Headers): Promise<Visit>;

  /** Express middleware: answers 403 to whoever did not come in through the waiting room; else sets `request.visit`. */
  express(): (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => Promise<void>;

  /**
   * Spend a visit, or its token, on the purchase with this reference; asked again, the same answer.
   *
   * `checkout` (true unless said) completes the visit and gives its room to the next in line; without it the visit is
   * only tied to the purchase. Asks up to three times. A visit without a session has nothing to spend and is confirmed
   * at once. Throws BadReference, and BadSettings without a site key.
   */
  confirm(visit: Visit | string, reference: string, options?: { checkout?: boolean }): Promise<Confirmation>;

  /**
   * End a visit that bought nothing, so that the next in line comes in; false when that is not sure. An answer to the
   * visitor then takes `endVisitCookies` along.
   */
  leave(visit: Visit | string): Promise<boolean>;
}

/** Set-Cookie values that end a visit in the browser. The visitor's cookie stays: by it one knows who has bought. */
export declare function endVisitCookies(zoneId: string): string[];

/** Base of all expected errors. */
export declare class FoyerOriginError extends Error {}

/** Raised when settings are missing or wrong; the text and `faults` have all of them, one line each. */
export declare class BadSettings extends FoyerOriginError {
  readonly faults: readonly string[];
}

/** Raised when a request did not come in through the waiting room; the text is for a log, not for the visitor. */
export declare class NotAdmitted extends FoyerOriginError {}

/** Raised when the waiting room's public keys were never had, or not for a day: nobody can be told from anybody. */
export declare class KeysUnavailable extends FoyerOriginError {
  readonly retryAfterSec: number;
}

/** Raised when the reference of a purchase is not 1 to 100 characters long. */
export declare class BadReference extends FoyerOriginError {}
