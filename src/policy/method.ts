// What the policy layer knows about HTTP methods: which ones no policy allows, and which spellings in a rule are slips.

import { bounds } from "../core/bounds.ts";
import { err, ok, type Result } from "../core/result.ts";
import { type Finding, shown } from "./problem.ts";
import { nearestWord } from "./spelling.ts";

/**
 * CONNECT opens a tunnel past the gate; TRACE and TRACK echo what was sent, headers that others added included. Methods are
 * case-sensitive, yet some servers do not know that, so these three are refused in any case.
 */
export function isNeverAllowedMethod(method: string): boolean {
  return method.length >= 5 && method.length <= 7 && /^(?:connect|trace|track)$/i.test(method);
}

// RFC 9110 section 5.6.2.
const methodToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const ordinaryMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
// The rest of IANA's registry, which nobody need be asked about.
const registeredMethods: ReadonlySet<string> = new Set([
  ...ordinaryMethods,
  ..."ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL".split(
    " ",
  ),
  ..."MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PRI PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH TRACE".split(
    " ",
  ),
  ..."UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL".split(" "),
]);

/** Checks a method of a rule; the value is what is doubtful about one that is accepted. */
export function checkMethod(text: string): Result<readonly Finding[], Finding> {
  const code = "invalid_method";
  if (text === "*" || /^(?:any|all)$/i.test(text)) {
    return err({
      code,
      message: `${shown(text)} is not a method`,
      remedy: "no `methods`, which is any of them",
    });
  }
  if (!methodToken.test(text) || text.length > bounds.methodLengthMax) {
    const words = text.split(/[\s,|/]+/).filter((word) => methodToken.test(word));
    const remedy = words.length > 1 ? `methods: [${words.join(", ")}]` : "methods: [GET]";
    return err({ code, message: `${shown(text)} is not an HTTP method`, remedy });
  }
  if (isNeverAllowedMethod(text)) {
    const message = `${shown(text)} is denied whatever a policy says`;
    return ok([{ code: "never_matches", message, remedy: "the other methods" }]);
  }
  if (registeredMethods.has(text)) return ok([]);
  const upper = text.toUpperCase();
  if (registeredMethods.has(upper)) {
    // In a deny rule `post` denies nothing of POST, and in an allow rule it is a riddle why POST is denied.
    const message = `methods are case-sensitive, and ${shown(text)} is another one than \`${upper}\``;
    return ok([{ code: "unknown_method", message, remedy: upper }]);
  }
  const near = nearestWord(text, ordinaryMethods);
  if (near === undefined) return ok([]);
  return ok([{ code: "unknown_method", message: `${shown(text)} is not a registered method`, remedy: near }]);
}
