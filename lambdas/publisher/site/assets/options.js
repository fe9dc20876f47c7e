/** What the visitor wants when it is their turn: a sound, a vibration, a notification, to be asked. Kept for all tabs. */

const KEY = "foyer.options";
const NAMES = ["sound", "vibration", "notification", "ask_first"];
const TONES_HZ = [660, 880, 1100];
const TONE_SEC = 0.22;

export class Options {
  #changed;
  #audio = null;
  #chosen = read();

  /** @param {() => void} changed the visitor chose otherwise */
  constructor(changed) {
    this.#changed = changed;
    for (const name of NAMES) {
      const box = document.getElementById(`option-${name}`);
      box.checked = this.#chosen.includes(name);
      box.addEventListener("change", () => this.#choose(name, box));
    }
    // Where the device cannot, there is nothing to choose.
    hide("vibration", !navigator.vibrate);
    hide("notification", !globalThis.Notification || Notification.permission === "denied");
    addEventListener("storage", ({ key }) => key === KEY && this.#reload());
    // Browsers let a page make a sound only after somebody has touched it.
    addEventListener("pointerdown", () => this.#tune(), { once: true });
    addEventListener("keydown", () => this.#tune(), { once: true });
  }

  /** Whether the visitor goes in by a button, not by itself. */
  get asksFirst() {
    return this.#chosen.includes("ask_first");
  }

  /** Call the visitor in the ways that were chosen. @param {string} title @param {string} text */
  call(title, text) {
    if (this.#chosen.includes("vibration")) navigator.vibrate?.([300, 150, 300]);
    if (this.#chosen.includes("sound")) this.#play();
    if (this.#chosen.includes("notification") && document.hidden) notify(title, text);
  }

  async #choose(name, box) {
    if (box.checked && name === "notification" && (await Notification.requestPermission()) !== "granted") {
      box.checked = false;
    }
    this.#chosen = NAMES.filter((each) => document.getElementById(`option-${each}`).checked);
    write(this.#chosen);
    // What was just chosen is heard or felt once, so that it is no surprise later.
    if (box.checked && name === "sound") this.#play();
    if (box.checked && name === "vibration") navigator.vibrate?.(200);
    this.#changed();
  }

  #reload() {
    this.#chosen = read();
    for (const name of NAMES) document.getElementById(`option-${name}`).checked = this.#chosen.includes(name);
    this.#changed();
  }

  #tune() {
    this.#audio ??= globalThis.AudioContext ? new AudioContext() : null;
  }

  #play() {
    this.#tune();
    const audio = this.#audio;
    if (!audio) return;
    audio.resume();
    TONES_HZ.forEach((tone, index) => {
      const [start, end] = [audio.currentTime + index * TONE_SEC, audio.currentTime + (index + 1) * TONE_SEC];
      const [sound, volume] = [audio.createOscillator(), audio.createGain()];
      sound.frequency.value = tone;
      volume.gain.setValueAtTime(0.15, start);
      volume.gain.exponentialRampToValueAtTime(0.001, end);
      sound.connect(volume).connect(audio.destination);
      sound.start(start);
      sound.stop(end);
    });
  }
}

function notify(title, body) {
  try {
    new Notification(title, { body, tag: "foyer-turn", requireInteraction: true }).onclick = () => focus();
  } catch {
    // Some phones show notifications from service workers only, and a page in line installs none.
  }
}

function hide(name, hidden) {
  document.getElementById(`option-${name}`).closest("label").hidden = hidden;
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function write(chosen) {
  try {
    localStorage.setItem(KEY, JSON.stringify(chosen));
  } catch {
    // Forbidden: this tab knows, the next one asks again.
  }
}
