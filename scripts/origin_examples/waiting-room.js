// The check on the site's own servers, for Express and any other Node server; needs nothing beside Node 18.
//
//   app.use("/events/midnight-sun", waitingRoom({ secret, siteUrl: "https://tickets.example.com",
//     zoneId: "midnight-sun", issuer: "foyer" }));
//
// The zone needs `forward_token`; CloudFront adds `x-origin-secret` to what it sends (a custom header of the origin).
"use strict";

const { createHash, createPublicKey, timingSafeEqual, verify } = require("node:crypto");

const KEEP_MS = 300_000;
const digest = (text) => createHash("sha256").update(text).digest();
const json = (part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));

function waitingRoom({ secret, siteUrl, zoneId, issuer, fetchJson = fetchKeys }) {
  let keys = new Map();
  let fetchedAt = -Infinity;

  async function keyOf(kid) {
    const age = Date.now() - fetchedAt;
    // An unknown id may be a new key: asked for at once, but not more than every 10 s.
    if (age > KEEP_MS || (!keys.has(kid) && age > 10_000)) {
      fetchedAt = Date.now();
      const { keys: found } = await fetchJson(`${siteUrl}/.waiting-room/jwks.json`);
      keys = new Map(found.filter((jwk) => jwk.alg === "ES256").map((jwk) => [jwk.kid, jwk]));
    }
    return keys.get(kid);
  }

  async function check(headers) {
    if (!timingSafeEqual(digest(headers["x-origin-secret"] || ""), digest(secret))) return null;
    if (headers["x-waiting-room-exempt"] && headers["x-waiting-room-zone"] === zoneId) return {};
    const [head, payload, signature, rest] = String(headers["x-waiting-room-token"] || "").split(".");
    if (!signature || rest !== undefined) return null;
    const { alg, kid, crit } = json(head);
    const jwk = alg === "ES256" && crit === undefined && (await keyOf(kid));
    if (!jwk) return null;
    const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
    if (!verify("sha256", Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, "base64url"))) return null;
    const claims = json(payload);
    const ours = claims.iss === issuer && claims.aud === "access" && claims.zone === zoneId;
    return ours && Date.now() / 1000 < claims.exp ? claims : null;
  }

  return async (request, response, next) => {
    // Whatever goes wrong, nobody gets in.
    const claims = await check(request.headers).catch(() => null);
    if (claims) {
      request.waitingRoom = claims;
      return next();
    }
    response.writeHead(403, { "Content-Type": "text/plain", "Cache-Control": "no-store" });
    return response.end("Please come in by the front door.");
  };
}

async function fetchKeys(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(3000) });
  if (!answer.ok) throw new Error(`the key set was answered with ${answer.status}`);
  return answer.json();
}

module.exports = { waitingRoom };
