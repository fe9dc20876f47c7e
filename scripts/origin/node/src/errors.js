// Every error this package raises on purpose.

/** Base of all expected errors. */
export class FoyerOriginError extends Error {
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** Raised when settings are missing or wrong; the text and `faults` have all of them, one line each. */
export class BadSettings extends FoyerOriginError {
  constructor(faults) {
    super(["The waiting room cannot be used with these settings:", ...faults].join("\n  "));
    this.faults = faults;
  }
}

/** Raised when a request did not come in through the waiting room; the text is for a log, not for the visitor. */
export class NotAdmitted extends FoyerOriginError {}

/** Raised when the waiting room's public keys were never had, or not for a day: nobody can be told from anybody. */
export class KeysUnavailable extends FoyerOriginError {
  retryAfterSec = 10;
}

/** Raised when the reference of a purchase is not 1 to 100 characters long. */
export class BadReference extends FoyerOriginError {}
