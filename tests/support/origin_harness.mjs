// Runs the package for Node (`package FOLDER`) or the example for nginx (`nginx FOLDER KEYS`) for the tests: one JSON
// command a line in, one JSON answer a line out. Time passes when a command says so.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import path from "node:path";

const [which, folder, keysFile] = process.argv.slice(2);

async function nodePackage() {
  const { WaitingRoom } = await import(path.join(folder, "src", "index.js"));
  const rooms = [];

  function make(settings) {
    const world = { now: () => made.nowMs, sleep: async (ms) => made.slept.push(ms / 1000), log: () => {} };
    const made = { nowMs: 0, slept: [], room: new WaitingRoom(settings, world) };
    return rooms.push(made) - 1;
  }

  const commands = {
    check: async ({ room }, headers) => {
      const visit = await room.check(headers);
      return { ...visit, token: visit.token };
    },
    fetched: ({ room }, headers) => room.check(new Headers(headers)),
    express: ({ room }, headers) =>
      new Promise((resolve, reject) => {
        const response = { writeHead: (status) => (response.status = status), end: () => resolve(response.status) };
        room.express()({ headers }, response, (error) => (error ? reject(error) : resolve(200)));
      }),
    confirm: async ({ room, slept }, [token, reference, checkout]) => ({
      ...(await room.confirm(token, reference, { checkout })),
      slept: slept.splice(0),
    }),
    leave: ({ room }, token) => room.leave(token),
    advance: (made, seconds) => {
      made.nowMs += seconds * 1000;
    },
  };
  return (name, number, argument) => {
    if (name === "make") return make(argument);
    if (name === "fromEnv") return WaitingRoom.fromEnv({}, argument).settings;
    return commands[name](rooms[number], argument);
  };
}

async function nginx() {
  globalThis.ngx = { fetch: async () => ({ json: async () => JSON.parse(readFileSync(keysFile, "utf8")) }) };
  const source = readFileSync(path.join(folder, "waiting_room_njs.js"));
  const { default: room } = await import(`data:text/javascript;base64,${source.toString("base64")}`);
  const variables = {
    origin_secret: "the secret of the origin",
    waiting_room_zone: "midnight-sun",
    waiting_room_issuer: "foyer",
    waiting_room_keys: "https://s.test/.waiting-room/jwks.json",
  };
  return (_name, _number, headersIn) =>
    new Promise((resolve) => {
      const answer = (status) => resolve(status === 204 ? 200 : status);
      room.check({ headersIn, variables, error: () => {}, return: answer });
    });
}

const run = await { package: nodePackage, nginx }[which]();
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { value: (await run(...JSON.parse(line))) ?? null };
  } catch (error) {
    answer = { error: error.name, message: error.message, faults: error.faults ?? [] };
  }
  console.log(JSON.stringify(answer));
}
