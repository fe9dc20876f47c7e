// Runs the examples for Node and nginx: one JSON line of headers in, the status out. Arguments: which, folder, key set.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";

const [which, folder, jwksFile] = process.argv.slice(2);
let fetches = 0;
const jwks = () => {
  fetches += 1;
  return JSON.parse(readFileSync(jwksFile, "utf8"));
};

async function express() {
  const { waitingRoom } = createRequire(import.meta.url)(path.join(folder, "waiting-room.js"));
  const settings = { secret: "origin-secret", siteUrl: "https://s.test", zoneId: "midnight-sun", issuer: "foyer" };
  const middleware = waitingRoom({ ...settings, fetchJson: async () => jwks() });
  return (headers) =>
    new Promise((resolve) => {
      const response = { writeHead: (status) => (response.status = status), end: () => resolve(response.status) };
      middleware({ headers }, response, () => resolve(200));
    });
}

async function nginx() {
  globalThis.ngx = { fetch: async () => ({ json: async () => jwks() }) };
  const source = readFileSync(path.join(folder, "waiting_room_njs.js"));
  const { default: room } = await import(`data:text/javascript;base64,${source.toString("base64")}`);
  const variables = {
    origin_secret: "origin-secret",
    waiting_room_zone: "midnight-sun",
    waiting_room_issuer: "foyer",
    waiting_room_keys: "https://s.test/.waiting-room/jwks.json",
  };
  return (headersIn) =>
    new Promise((resolve) => {
      const answer = (status) => resolve(status === 204 ? 200 : status);
      room.check({ headersIn, variables, error: () => {}, return: answer });
    });
}

const ask = await { express, nginx }[which]();
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify([await ask(JSON.parse(line)), fetches]));
}
