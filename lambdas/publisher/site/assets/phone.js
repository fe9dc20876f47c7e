/** Confirming a phone number while waiting, by a code that is sent to it. Number and code are kept nowhere here. */

const REFUSED = 409;
const LABELS = { phone: "phone", phone_code: "phone_code", phone_number: "alert_number", phone_sms: "alert_sms", phone_voice: "alert_voice" };
const BUTTONS = ["phone-send", "phone-check", "phone-move-here"];

export class Phone {
  #api;
  #words;
  #ask;
  #moveToken = "";

  /**
   * @param {import("./api.js").Api} api
   * @param {() => import("./words.js").Words} words
   * @param {() => void} ask see what became of the place
   */
  constructor(api, words, ask) {
    this.#api = api;
    this.#words = words;
    this.#ask = ask;
    if (!element("phone")) return;
    this.label();
    this.#on("phone-form", () => this.#send());
    this.#on("phone-code-form", () => this.#check());
    this.#on("phone-move", () => this.#move());
  }

  /** Say everything in the language of now. */
  label() {
    if (!element("phone")) return;
    const words = this.#words();
    for (const [id, name] of Object.entries(LABELS)) element(`${id}-label`).textContent = words.say("labels", name);
    element("phone-lead").textContent = words.say("notices", "phone_lead");
    element("phone-send").textContent = words.say("labels", "phone_send");
    element("phone-check").textContent = words.say("labels", "phone_check");
    element("phone-move-here").textContent = words.state("moving").action;
  }

  async #send() {
    const number = element("phone-number").value;
    const channel = new FormData(element("phone-form")).get("channel");
    const answer = await this.#busy(this.#api.sendCode({ channel, number }));
    if (answer.code !== 202) return this.#refused(answer, "phone-number", "alert_number_wrong");
    element("phone-given").value = number;
    element("phone-code").value = "";
    element("phone-code-form").hidden = false;
    element("phone-move").hidden = true;
    this.#say(answer.body.sent === "yes" ? "phone_sent" : "phone_perhaps");
    element("phone-code").focus();
  }

  async #check() {
    const asked = { number: element("phone-given").value, code: element("phone-code").value };
    const answer = await this.#busy(this.#api.verifyPhone(asked));
    if (answer.code === 200) return this.#done();
    if (answer.problem !== "phone-taken") return this.#refused(answer, "phone-code", "phone_wrong");
    this.#say("phone_taken");
    this.#moveToken = answer.body.move_token ?? "";
    element("phone-code-form").hidden = true;
    element("phone-move").hidden = !this.#moveToken;
    if (this.#moveToken) element("phone-move-here").focus();
  }

  async #move() {
    const answer = await this.#busy(this.#api.move(this.#moveToken));
    if (answer.code === 200) this.#done();
    else this.#say("alert_failed");
  }

  #done() {
    for (const id of ["phone-lead", "phone-form", "phone-code-form", "phone-move"]) element(id).hidden = true;
    element("phone").dataset.done = "1";
    this.#say("phone_done");
    this.#ask();
  }

  #refused({ code, body }, field, wrong) {
    if (body?.pointer) {
      this.#say(wrong);
      element(field).focus();
    } else if (code === REFUSED) {
      this.#say(body?.limit && body.limit !== "run" ? "phone_refused" : "phone_spent");
    } else {
      this.#say("alert_failed");
    }
  }

  /** One thing at a time, however often somebody presses. */
  async #busy(asked) {
    for (const id of BUTTONS) element(id).disabled = true;
    return asked.finally(() => BUTTONS.forEach((id) => (element(id).disabled = false)));
  }

  #on(form, act) {
    element(form).addEventListener("submit", (event) => {
      event.preventDefault();
      act();
    });
  }

  #say(name) {
    element("phone-said").textContent = this.#words().say("notices", name);
  }
}

const element = (id) => document.getElementById(id);
