// A viewer-request function over Queue-it's connector: the thinnest that does all it asks for. Reads one JSON line
// {event, warm} to start with, then a number of calls a line, and answers each with the nanoseconds they took together.
"use strict";

const { createHmac } = require("node:crypto");
const readline = require("node:readline");
const path = require("node:path");

const packages = process.argv[2];
const connector = require(path.join(packages, "@queue-it", "connector-javascript"));
const { UserInQueueStateCookieRepository } = require(
  path.join(packages, "@queue-it", "connector-javascript", "dist", "userInQueueStateCookieRepository.js"),
);

const CUSTOMER = "example";
const SECRET = "c0ffee00-0000-4000-8000-1234567890abcdef-0000-4000-8000-1234567890ab";
const INTEGRATION = JSON.stringify({
  Version: 7,
  Integrations: [
    {
      Name: "midnight-sun",
      EventId: "midnightsun",
      CookieDomain: "",
      IsCookieHttpOnly: true,
      IsCookieSecure: true,
      LayoutName: "",
      Culture: "en-GB",
      // The cheaper of both settings: no new cookie with every page.
      ExtendCookieValidity: false,
      CookieValidityMinute: 20,
      QueueDomain: "example.queue.test",
      RedirectLogic: "AllowTParameter",
      ForcedTargetUrl: "",
      ActionType: "Queue",
      Triggers: [
        {
          LogicalOperator: "And",
          TriggerParts: [
            {
              ValidatorType: "UrlValidator",
              Operator: "Contains",
              ValueToCompare: "/events/midnight-sun",
              ValuesToCompare: null,
              UrlPart: "PagePath",
              CookieName: null,
              HttpHeaderName: null,
              IsNegative: false,
              IsIgnoreCase: true,
            },
          ],
        },
      ],
    },
  ],
});

const cryptoProvider = {
  getSha256Hash: (secret, text) => createHmac("sha256", secret).update(text).digest("hex"),
};

class Context {
  constructor(request) {
    this.request = request;
    this.setCookies = [];
  }
  getHttpRequest() {
    return this;
  }
  getHttpResponse() {
    return this;
  }
  getCryptoProvider() {
    return cryptoProvider;
  }
  getEnqueueTokenProvider() {
    return null;
  }
  getHeader(name) {
    const entries = this.request.headers[name.toLowerCase()];
    return entries ? entries[0].value : "";
  }
  getUserAgent() {
    return this.getHeader("user-agent");
  }
  getAbsoluteUri() {
    const { uri, querystring } = this.request;
    return `https://${this.getHeader("host")}${uri}${querystring ? `?${querystring}` : ""}`;
  }
  getUserHostAddress() {
    return this.request.clientIp;
  }
  getRequestBodyAsString() {
    return "";
  }
  getCookieValue(key) {
    if (!this.cookies) {
      this.cookies = new Map();
      for (const { value } of this.request.headers.cookie || []) {
        for (const pair of value.split(";")) {
          const at = pair.indexOf("=");
          if (at > 0) this.cookies.set(pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim()));
        }
      }
    }
    return this.cookies.get(key);
  }
  setCookie(name, value, domain, expiration, httpOnly, secure) {
    this.setCookies.push([name, value, domain, expiration, httpOnly, secure]);
  }
}

async function handler(event) {
  const request = event.Records[0].cf.request;
  const context = new Context(request);
  const url = context.getAbsoluteUri();
  const token = /[?&]queueittoken=([^&]*)/.exec(url);
  const clean = url.replace(/([?&])(queueittoken=[^&]*)/i, "");
  const result = await connector.KnownUser.validateRequestByIntegrationConfig(
    clean, token ? token[1] : "", INTEGRATION, CUSTOMER, SECRET, context,
  );
  if (result.doRedirect()) {
    const headers = { location: [{ key: "Location", value: result.redirectUrl }] };
    return { status: "302", statusDescription: "Found", headers };
  }
  return request;
}

function admitted(event) {
  // The cookie as the connector itself makes it.
  const context = new Context(event.Records[0].cf.request);
  new UserInQueueStateCookieRepository(context).store(
    "midnightsun", "00000000-0000-4000-8000-000000000000", null, "", true, true, "queue", null, SECRET,
  );
  const [name, value] = context.setCookies[0];
  event.Records[0].cf.request.headers.cookie[0].value += `; ${name}=${encodeURIComponent(value)}`;
  return event;
}

async function main() {
  let event = null;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    if (typeof asked === "object") {
      event = asked.admitted ? admitted(asked.event) : asked.event;
      const outcome = await handler(event);
      console.log(JSON.stringify(outcome.status ? "redirected" : "passed"));
      continue;
    }
    const started = process.hrtime.bigint();
    for (let count = 0; count < asked; count += 1) await handler(event);
    console.log(String(process.hrtime.bigint() - started));
  }
}

main();
