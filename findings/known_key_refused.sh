#!/usr/bin/env bash
# A key that verified a token a moment ago is refused while the key set cannot be had.
#
# One would guess: a client that keeps the keys of a JWKS address asks for new ones when they are old, and goes on with
#   those it has until the address answers again. Keys do not go bad because a server is restarted.
# Seen with PyJWT 2.15.1 (PyJWKClient) and jose 6.2.17 (createRemoteJWKSet), the address answering 503: within
#   `lifespan` (300 s unless said) or `cacheMaxAge` (600 s) tokens are verified; from then on every token is refused,
#   with PyJWKClientConnectionError or JOSEError, although its key is the one kept. Each token asks the address
#   again; the pause between two questions (`cooldown_duration`, `cooldownDuration`, 30 s) is for unknown keys alone.
# What to do: where visitors must pass while the key set is away, keep the keys oneself, and let the libraries verify.
#   An outage longer than the keys' age would otherwise close a site whose tokens are all good.
#
# Output, for each library:
#   fresh, address up: verified, asked 1
#   fresh, address down: verified, asked 1
#   old, address down: refused, asked 2
#   old, address down: refused, asked 3
#   old, address up: verified, asked 4
set -euo pipefail
scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
cd "$scratch"
venv/bin/pip install --quiet --disable-pip-version-check 'pyjwt[crypto]==2.15.1'
npm install --silent --no-audit --no-fund jose@6.2.17
cat >server.py <<'PYTHON'
# A key set that is there as long as the file `down` is not; writes address and token to files, and a line for each question.
import json
import pathlib
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

key = ec.generate_private_key(ec.SECP256R1())
public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
KEYS = json.dumps({"keys": [{**public, "kid": "a", "alg": "ES256", "use": "sig"}]}).encode()


class KeySet(BaseHTTPRequestHandler):
    def do_GET(self):
        with open("asked", "a") as asked:
            asked.write("once\n")
        body = b"" if pathlib.Path("down").exists() else KEYS
        self.send_response(200 if body else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), KeySet)
pathlib.Path("token").write_text(jwt.encode({"sub": "a"}, key, "ES256", {"kid": "a"}))
pathlib.Path("address").write_text(f"http://127.0.0.1:{server.server_port}/")
server.serve_forever()
PYTHON
cat >verify.py <<'PYTHON'
import pathlib
import time

import jwt

token = pathlib.Path("token").read_text()
keys = jwt.PyJWKClient(pathlib.Path("address").read_text(), lifespan=2)
asked_before = len(pathlib.Path("asked").read_text())


def verify():
    try:
        jwt.decode(token, keys.get_signing_key_from_jwt(token), ["ES256"])
        return "verified"
    except jwt.PyJWKClientConnectionError:
        return "refused"


for say, down, pause in (
    ("fresh, address up", False, 0),
    ("fresh, address down", True, 0),
    ("old, address down", True, 2.5),
    ("old, address down", True, 0),
    ("old, address up", False, 0),
):
    pathlib.Path("down").touch() if down else pathlib.Path("down").unlink(missing_ok=True)
    time.sleep(pause)
    result = verify()
    asked = (len(pathlib.Path("asked").read_text()) - asked_before) // len("once\n")
    print(f"{say}: {result}, asked {asked}")
PYTHON
cat >verify.mjs <<'JAVASCRIPT'
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const token = readFileSync("token", "utf8");
const keys = createRemoteJWKSet(new URL(readFileSync("address", "utf8")), { cacheMaxAge: 2000 });
const askedBefore = readFileSync("asked", "utf8").length;

async function verify() {
  try {
    await jwtVerify(token, keys);
    return "verified";
  } catch (error) {
    if (error instanceof errors.JOSEError) return "refused";
    throw error;
  }
}

for (const [say, down, pause] of [
  ["fresh, address up", false, 0],
  ["fresh, address down", true, 0],
  ["old, address down", true, 2500],
  ["old, address down", true, 0],
  ["old, address up", false, 0],
]) {
  if (down) writeFileSync("down", "");
  else if (existsSync("down")) rmSync("down");
  await setTimeout(pause);
  const result = await verify();
  const asked = (readFileSync("asked", "utf8").length - askedBefore) / "once\n".length;
  console.log(`${say}: ${result}, asked ${asked}`);
}
JAVASCRIPT
: >asked
venv/bin/python server.py &
server=$!
for _ in $(seq 100); do [ -s address ] && break || sleep 0.1; done
cat >expected <<'TEXT'
fresh, address up: verified, asked 1
fresh, address down: verified, asked 1
old, address down: refused, asked 2
old, address down: refused, asked 3
old, address up: verified, asked 4
TEXT
for command in "venv/bin/python verify.py" "node verify.mjs"; do
    echo "$command"
    $command | tee seen
    cmp seen expected
done
