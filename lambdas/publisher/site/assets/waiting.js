/** The waiting page: reads the facts the page carries and starts the room. */

import { Api } from "./api.js";
import { ServerClock } from "./clock.js";
import { Room } from "./room.js";
import { View } from "./view.js";
import { Words } from "./words.js";

/** @param {string} id of a JSON data block */
const data = (id) => JSON.parse(document.getElementById(id).textContent);

const facts = data("zone");
const clock = new ServerClock();
const words = new Words(data("texts"));
const api = new Api(facts.zone_id, clock);
const to = new URLSearchParams(location.search).get("to");

new Room(facts, to, api, clock, new View(facts, words)).start();
