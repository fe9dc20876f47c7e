// Who a request comes from: read from the headers of the gate, and believed for a reason only.
import { createHash, timingSafeEqual } from "node:crypto";

import { decodeProtectedHeader, jwtVerify } from "jose";

import { KeysUnavailable, NotAdmitted } from "./errors.js";

const PREFIX = "x-waiting-room-";
const SECRET_HEADER = "x-origin-secret";
// The gate knows nothing of any zone, and the deployment said that everybody passes then.
const NO_SNAPSHOT = "no-snapshot";
const LONGEST_TOKEN = 4096;

const digest = (text) => createHash("sha256").update(text).digest();

/**
 * The visit of a request. Throws NotAdmitted or KeysUnavailable.
 *
 * A token speaks for itself, being signed. Headers without one are believed only next to the origin secret, for
 * without it anybody who reaches this server can have written them.
 */
export async function readVisit(headers, settings, keys) {
  const told = tellOnce(headers);
  const { originSecret, zoneId } = settings;
  if (originSecret !== undefined && !timingSafeEqual(digest(told[SECRET_HEADER] ?? ""), digest(originSecret))) {
    throw new NotAdmitted(`no ${SECRET_HEADER}, or a wrong one: this did not come through CloudFront`);
  }
  const token = told[`${PREFIX}token`];
  if (token) return admitted(token, settings, keys);
  if (originSecret === undefined) {
    throw new NotAdmitted(`no ${PREFIX}token, and headers are not believed without an origin secret`);
  }
  const open = told[`${PREFIX}open`] ?? "";
  if (open === NO_SNAPSHOT) return visit({ zoneId, open });
  if (told[`${PREFIX}zone`] !== zoneId) {
    throw new NotAdmitted(`no ${PREFIX}zone of ${zoneId}: the gate does not guard this path for this zone`);
  }
  if (told[`${PREFIX}session`]) {
    throw new NotAdmitted(`a session and no ${PREFIX}token: turn on forward_token in the zone`);
  }
  const exempt = told[`${PREFIX}exempt`] ?? "";
  if (!exempt && !open) {
    throw new NotAdmitted(`no ${PREFIX}token, ${PREFIX}exempt or ${PREFIX}open: nobody says why this should be let in`);
  }
  return visit({ zoneId, exempt, open, lane: told[`${PREFIX}lane`] ?? "" });
}

/** A visit; its token is there to be used, and not to be logged or written out. */
function visit({ token = "", ...told }) {
  const made = { visitorId: "", sessionId: "", lane: "", exempt: "", open: "", run: 0, expiresAtSec: 0, ...told };
  return Object.freeze(Object.defineProperty(made, "token", { value: token, enumerable: false }));
}

/** The headers this is about: of a Node server's request, or Headers. A name in any case, and once. */
function tellOnce(headers) {
  const told = {};
  for (const [name, value] of typeof headers.entries === "function" ? headers.entries() : Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (lower !== SECRET_HEADER && !lower.startsWith(PREFIX)) continue;
    if (lower in told || typeof value !== "string") throw new NotAdmitted(`${lower} stands there twice`);
    told[lower] = value;
  }
  return told;
}

async function admitted(token, settings, keys) {
  const claims = await claimsOf(token, settings, keys);
  const texts = [claims.zone, claims.sub, claims.sid, claims.lane].every((each) => typeof each === "string");
  if (!texts || !Number.isInteger(claims.run) || !Number.isInteger(claims.exp)) {
    throw new NotAdmitted("the access token is not valid: it does not say whose it is");
  }
  if (claims.zone !== settings.zoneId) throw new NotAdmitted("the access token is of another zone");
  if (settings.run !== undefined && claims.run !== settings.run) {
    throw new NotAdmitted("the access token is of another run");
  }
  return visit({
    zoneId: claims.zone,
    visitorId: claims.sub,
    sessionId: claims.sid,
    lane: claims.lane,
    run: claims.run,
    expiresAtSec: claims.exp,
    token,
  });
}

async function claimsOf(token, settings, keys) {
  if (token.length > LONGEST_TOKEN) throw new NotAdmitted("the access token is too long");
  const demands = { algorithms: ["ES256"], audience: "access", issuer: settings.issuer };
  try {
    const { kid, crit } = decodeProtectedHeader(token);
    if (crit !== undefined || typeof kid !== "string") {
      throw new NotAdmitted("the access token is not one of Foyer's");
    }
    const key = await keys.find(kid);
    if (!key) throw new NotAdmitted("the access token is signed with an unknown key");
    return (await jwtVerify(token, key, demands)).payload;
  } catch (error) {
    if (error instanceof NotAdmitted || error instanceof KeysUnavailable) throw error;
    throw new NotAdmitted(`the access token is not valid: ${error.message}`);
  }
}
