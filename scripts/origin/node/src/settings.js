// What a site's server has to know of its waiting room.
import { BadSettings } from "./errors.js";

/** Environment variable of each setting. */
export const ENVIRONMENT = {
  siteUrl: "FOYER_SITE_URL",
  zoneId: "FOYER_ZONE_ID",
  issuer: "FOYER_ISSUER",
  siteKey: "FOYER_SITE_KEY",
  originSecret: "FOYER_ORIGIN_SECRET",
  run: "FOYER_RUN",
  timeoutSec: "FOYER_TIMEOUT_SEC",
};

const LEAST_SECRET = 16;
const ZONE_ID = /^[a-z0-9][a-z0-9-]{0,39}$/;
const NEAR_HOSTS = ["localhost", "127.0.0.1", "[::1]", "host.docker.internal"];
const NUMBERS = ["run", "timeoutSec"];
const PRINTABLE = /^[!-~](?:[ -~]*[!-~])?$/;

const isText = (value) => typeof value === "string" && value !== "";

/** The settings of the environment, those `given` in their place; nothing is judged yet. */
export function readEnvironment(environment, given) {
  const found = {};
  for (const [name, variable] of Object.entries(ENVIRONMENT)) {
    const text = environment[variable];
    if (text) found[name] = NUMBERS.includes(name) && text.trim() !== "" ? Number(text) : text;
  }
  return { ...found, ...given };
}

/** The settings, frozen, defaults filled in. Throws BadSettings with every fault at once. */
export function checkedSettings(given) {
  const settings = { siteKey: undefined, originSecret: undefined, run: undefined, timeoutSec: 5, ...given };
  const faults = [];
  for (const [name, judge] of Object.entries(JUDGES)) {
    const value = settings[name];
    const fault = judge(value);
    const missing = value === undefined || value === null || value === "" ? "is missing: it " : "";
    if (fault) faults.push(`${name} (${ENVIRONMENT[name]}) ${missing}${fault}`);
  }
  for (const name of Object.keys(settings)) {
    if (!(name in JUDGES)) faults.push(`${name} is no setting; there are ${Object.keys(JUDGES).join(", ")}`);
  }
  if (faults.length) throw new BadSettings(faults);
  return Object.freeze(settings);
}

const JUDGES = {
  siteUrl: urlFault,
  zoneId: (value) => (isText(value) && ZONE_ID.test(value) ? null : "is the zone's id"),
  issuer: (value) => (isText(value) ? null : "is the deployment's name"),
  siteKey: secretFault,
  originSecret: secretFault,
  run: (value) => (value === undefined || (Number.isInteger(value) && value > 0) ? null : "is a whole number from 1"),
  timeoutSec: (value) =>
    typeof value === "number" && value >= 0.1 && value <= 60 ? null : "is a number of seconds from 0.1 to 60",
};

function urlFault(value) {
  const fault = "is where visitors reach the site, like https://tickets.example.com, and nothing after the host";
  let url;
  try {
    url = new URL(isText(value) ? value : "");
  } catch {
    return fault;
  }
  const { protocol, hostname: host, username, pathname, search, hash } = url;
  if (!["http:", "https:"].includes(protocol) || username || pathname !== "/" || search || hash) return fault;
  if (protocol === "http:" && !host.endsWith(".localhost") && !NEAR_HOSTS.includes(host)) {
    return "has to begin with https://: the site key travels there";
  }
  return null;
}

function secretFault(value) {
  if (value === undefined) return null;
  const sound = isText(value) && value.length >= LEAST_SECRET && PRINTABLE.test(value);
  return sound ? null : `has ${LEAST_SECRET} or more ASCII characters`;
}
