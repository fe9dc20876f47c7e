// Asks the waiting page's own script where visitors go after waiting.
//
// Input (JSON on standard input): assets folder, facts of the zone, asked (paths). Output: where each of them leads.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const given = JSON.parse(readFileSync(0, "utf8"));
globalThis.location = { origin: "https://tickets.example" };
const { wayBack } = await import(pathToFileURL(`${given.assets}/way_back.js`));
console.log(JSON.stringify(given.asked.map((to) => wayBack(to, given.facts))));
