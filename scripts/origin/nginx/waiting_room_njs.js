// The check on the site's own servers, for nginx with njs 0.7 or newer; see nginx.conf beside it. Settings are nginx variables.
// The zone needs `forward_token`; CloudFront adds `x-origin-secret` to what it sends (a custom header of the origin).

// What stands before a point of P-256 in a public key (SPKI, RFC 5480); before 0.7.10 njs reads no JWK.
const P256 = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

function bytes(part) {
  return Buffer.from(part, "base64url");
}

function json(part) {
  return JSON.parse(bytes(part).toString());
}

// Compares digests, so that the time taken tells nothing of the secret.
async function same(one, other) {
  const digests = await Promise.all([one, other].map((text) => crypto.subtle.digest("SHA-256", Buffer.from(text))));
  return Buffer.from(digests[0]).equals(Buffer.from(digests[1]));
}

// njs forgets everything between two requests: nginx itself keeps the key set, see nginx.conf.
async function keyOf(kid, url) {
  const answer = await ngx.fetch(url);
  const jwk = (await answer.json()).keys.find((each) => each.kid === kid && each.alg === "ES256");
  return jwk && Buffer.concat([P256, bytes(jwk.x), bytes(jwk.y)]);
}

async function allowed(r) {
  const headers = r.headersIn;
  if (!(await same(headers["x-origin-secret"] || "", r.variables.origin_secret))) return false;
  const zone = r.variables.waiting_room_zone;
  // What the gate says of somebody without a token is believed because only CloudFront knows the secret.
  const open = headers["x-waiting-room-open"];
  if (open === "no-snapshot") return true;
  if ((headers["x-waiting-room-exempt"] || open) && headers["x-waiting-room-zone"] === zone) return true;
  const parts = (headers["x-waiting-room-token"] || "").split(".");
  if (parts.length !== 3) return false;
  const head = json(parts[0]);
  if (head.alg !== "ES256" || head.crit !== undefined) return false;
  const point = await keyOf(head.kid, r.variables.waiting_room_keys);
  if (!point) return false;
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("spki", point, algorithm, false, ["verify"]);
  const signed = Buffer.from(parts[0] + "." + parts[1]);
  if (!(await crypto.subtle.verify(algorithm, key, bytes(parts[2]), signed))) return false;
  const claims = json(parts[1]);
  const ours = claims.iss === r.variables.waiting_room_issuer && claims.aud === "access" && claims.zone === zone;
  return ours && Date.now() / 1000 < claims.exp;
}

// For auth_request: 204 lets in, 403 does not. Whatever goes wrong, nobody gets in.
async function check(r) {
  let status = 403;
  try {
    status = (await allowed(r)) ? 204 : 403;
  } catch (error) {
    r.error(`waiting room: ${error.message}`);
  }
  r.return(status);
}

export default { check };
