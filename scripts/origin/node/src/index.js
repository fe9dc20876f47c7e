// What a site's own servers do behind Foyer, the virtual waiting room: check who comes in, confirm what is bought.
export { endVisitCookies, Verdict } from "./confirmations.js";
export { BadReference, BadSettings, FoyerOriginError, KeysUnavailable, NotAdmitted } from "./errors.js";
export { WaitingRoom } from "./room.js";
