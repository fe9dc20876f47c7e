/** The waiting page: reads the facts the page carries and starts the room, in the visitor's language. */

import { Alerts } from "./alerts.js";
import { Api } from "./api.js";
import { ServerClock } from "./clock.js";
import { chosenLanguage, remember, textsOf } from "./language.js";
import { Move } from "./move.js";
import { Phone } from "./phone.js";
import { Room } from "./room.js";
import { within } from "./timed.js";
import { View } from "./view.js";
import { Words } from "./words.js";

// Whoever comes takes a place first: a language that is slow to load is spoken when it is here.
const TEXTS_MS = 2_000;

/** @param {string} id of a JSON data block */
const data = (id) => JSON.parse(document.getElementById(id).textContent);

const facts = data("zone");
const english = data("texts");
let wanted = chosenLanguage(facts.languages);
const coming = textsOf(wanted, english);
const texts = await within(TEXTS_MS, coming, english);
const clock = new ServerClock();
const api = new Api(facts.zone_id, clock);
const to = new URLSearchParams(location.search).get("to");
const view = new View(facts, new Words(texts));
const room = new Room(facts, to, api, clock, view);
new Alerts(facts.zone_id, api, () => view.words);
new Move(api, () => view.words, () => room.ask());
const phone = new Phone(api, () => view.words, () => room.ask());

document.getElementById("go-in").addEventListener("click", () => room.goIn());
document.getElementById("action").addEventListener("click", (event) => room.goOn(event));
document.getElementById("languages").addEventListener("click", async (event) => {
  const language = event.target.closest?.("[data-language]")?.dataset.language;
  if (!language) return;
  event.preventDefault();
  wanted = language;
  remember(language);
  view.choose(new Words(await textsOf(language, english)));
  phone.label();
  room.refresh();
});
room.start();
coming.then((late) => {
  if (late === texts || late.language !== wanted) return;
  view.speak(new Words(late));
  phone.label();
  room.refresh();
});
