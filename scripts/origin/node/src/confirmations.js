// What the waiting room says of a purchase, and what that means for the shop.
import { BadReference } from "./errors.js";

const LONGEST_REFERENCE = 100;
const ASK_AGAIN_SEC = 2;

/** The answer to a purchase. Only CONFIRMED sells; only UNSURE leaves open whether it was. See index.d.ts. */
export const Verdict = Object.freeze({
  CONFIRMED: "confirmed",
  OVER: "over",
  USED: "used",
  UNKNOWN: "unknown",
  REFUSED: "refused",
  UNSURE: "unsure",
});

const VERDICTS = { 409: Verdict.USED, 410: Verdict.OVER, 401: Verdict.UNKNOWN };
const REFUSED = [400, 403, 404, 405, 413];

/**
 * Set-Cookie values that end a visit in the browser, as the waiting room itself ends one. The visitor's cookie stays:
 * by it the waiting room knows who has bought, and who may again.
 */
export function endVisitCookies(zoneId) {
  return [`__Host-wr-access-${zoneId}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax`];
}

/** Throws BadReference when it is not 1 to 100 characters long, as the waiting room counts them. */
export function requireReference(reference) {
  const length = typeof reference === "string" ? [...reference].length : 0;
  if (length < 1 || length > LONGEST_REFERENCE) {
    throw new BadReference(`The reference of a purchase is your own id of it, 1 to ${LONGEST_REFERENCE} characters.`);
  }
}

/** A confirmation with every field. */
export function confirmation(verdict, reference, told = {}) {
  return Object.freeze({ verdict, reference, status: "", detail: "", retryAfterSec: 0, cookies: [], ...told });
}

/** What an answer, `{status, retryAfterSec, document}` or null, means for a purchase. */
export function judged(answer, zoneId, reference, checkout) {
  if (!answer) return confirmation(Verdict.UNSURE, reference, { detail: "no answer", retryAfterSec: ASK_AGAIN_SEC });
  const { status, document } = answer;
  const detail = String(document.detail || `answered with ${status}`);
  if (status === 200 && fits(document, zoneId, reference, checkout)) {
    const cookies = document.status === "completed" ? endVisitCookies(zoneId) : [];
    return confirmation(Verdict.CONFIRMED, reference, { status: document.status, cookies });
  }
  // An answer of something else on the way must not pass for the waiting room's: each has its form.
  if (document.status === status) {
    const verdict = VERDICTS[status] ?? (REFUSED.includes(status) ? Verdict.REFUSED : null);
    const cookies = verdict === Verdict.OVER ? endVisitCookies(zoneId) : [];
    if (verdict) return confirmation(verdict, reference, { detail, cookies });
  }
  const retryAfterSec = answer.retryAfterSec ?? ASK_AGAIN_SEC;
  return confirmation(Verdict.UNSURE, reference, { detail, retryAfterSec });
}

/** Whether it confirms this purchase, and not whatever else somebody answers with 200. */
function fits(document, zoneId, reference, checkout) {
  const done = checkout ? ["completed"] : ["admitted", "completed"];
  return document.zone_id === zoneId && document.reference === reference && done.includes(document.status);
}
