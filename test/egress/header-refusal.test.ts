// Request headers that guests may not send, one test a row, and which of the two reasons is told.
import { describe, expect, test } from "vitest";
import { screenRequestHeaders } from "../../src/egress/header-screen.ts";
import { destinationOf } from "../support/arbitraries.ts";

const destination = destinationOf("https://api.example/v1");

const refused: readonly (readonly [name: string, value: string, why: string])[] = [
  ["connection", "upgrade", "an upgrade"],
  ["connection", "close, x-secret", "names another header"],
  ["connection", "Close", "not exactly close"],
  ["connection", "keep-alive, keep-alive", "not exactly keep-alive"],
  ["connection", "", "says nothing"],
  ["connection", "te", "names a header"],
  ["keep-alive", "timeout=5", "of the connection"],
  ["proxy-authorization", "Basic x", "for a proxy"],
  ["Proxy-Connection", "close", "for a proxy"],
  ["proxy-anything", "x", "for a proxy"],
  ["te", "trailers", "of the connection"],
  ["trailer", "x", "of the connection"],
  ["Transfer-Encoding", "chunked", "frames the message"],
  ["transfer-encoding", "identity", "frames the message"],
  ["upgrade", "h2c", "another protocol"],
  ["expect", "100-continue", "of the connection"],
  ["http2-settings", "AAMAAABkAAQAAP__", "another protocol"],
  ["Sec-WebSocket-Key", "x", "another protocol"],
  ["sec-websocket-version", "13", "another protocol"],
  ["via", "1.1 x", "speaks for a proxy"],
  ["forwarded", "for=127.0.0.1", "speaks for a proxy"],
  ["X-Forwarded-For", "127.0.0.1", "speaks for a proxy"],
  ["x-forwarded-host", "internal", "speaks for a proxy"],
  ["x-forwarded-", "x", "speaks for a proxy"],
  ["x-real-ip", "127.0.0.1", "speaks for a proxy"],
  ["Metadata-Flavor", "Google", "opens Google's metadata"],
  ["metadata", "true", "opens Azure's metadata"],
  ["X-aws-ec2-metadata-token", "x", "opens AWS's metadata"],
  ["x-aws-ec2-metadata-token-ttl-seconds", "60", "opens AWS's metadata"],
  ["transfer_encoding", "chunked", "_ is - to some servers"],
  ["content_length", "5", "_ is - to some servers"],
  ["__proto__", "x", "_ is - to some servers"],
  ["_", "x", "_ is - to some servers"],
  [":authority", "evil.example", "a pseudo-header"],
  [":path", "/admin", "a pseudo-header"],
  ["x-a:", "x", "a colon ends the name to others"],
  [":", "x", "a colon alone"],
  ["host", "evil.example", "another host"],
  ["host", "", "no host"],
  ["host", "api.example:80", "another port"],
  ["host", "user@api.example", "credentials"],
  ["host", "api.example/", "a path"],
  ["host", "api.example?x", "a query"],
  ["host", "api.example#x", "a fragment"],
  ["host", "api.example, evil.example", "two hosts"],
  ["host", "https://api.example", "a URL"],
  ["content-length", "4", "not the body's"],
  ["content-length", "05", "octal to some"],
  ["content-length", "+5", "no digits alone"],
  ["content-length", "5, 5", "two lengths"],
  ["content-length", "", "no length"],
  ["content-length", "0x5", "hexadecimal"],
];

const invalid: readonly (readonly [name: string, value: string, why: string])[] = [
  ["", "x", "no name"],
  [" x", "x", "a blank in a name"],
  ["x ", "x", "a blank behind a name"],
  ["x y", "x", "a blank within a name"],
  ["x\ty", "x", "a tab in a name"],
  ["x\r\ny", "x", "a line end in a name"],
  ["x\r\ny: z\r\nw", "x", "whole headers in a name"],
  ["x\0", "x", "NUL in a name"],
  ["x\u007f", "x", "DEL in a name"],
  ["x(y)", "x", "no token"],
  ["x/y", "x", "no token"],
  ["x,y", "x", "no token"],
  ["x;y", "x", "no token"],
  ["x=y", "x", "no token"],
  ['"x"', "x", "no token"],
  ["{x}", "x", "no token"],
  ["x\\y", "x", "no token"],
  ["\u00e9", "x", "beyond ASCII in a name"],
  ["\u212aeep-alive", "x", "the Kelvin sign, which toLowerCase() would fold to k"],
  ["tran\u017ffer-encoding", "x", "long s, which toUpperCase() would fold to S"],
  ["x", "a\rb", "CR in a value"],
  ["x", "a\nb", "LF in a value"],
  ["x", "a\r\ny: z", "a second header"],
  ["x", "a\n", "LF behind a value is not trimmed"],
  ["x", "\ra", "CR in front of a value is not trimmed"],
  ["x", "a\0b", "NUL in a value"],
  ["x", "a\u0001b", "a control in a value"],
  ["x", "a\u001bb", "ESC in a value"],
  ["x", "a\u000bb", "a vertical tab in a value"],
  ["x", "a\u007fb", "DEL in a value"],
  ["x", "a\u0100", "U+0100 has no octet"],
  ["x", "a\u010ab", "U+010A ends in the octet of LF"],
  ["x", "\u560a", "U+560A ends in the octet of LF"],
  ["x", "\ud83d\ude00", "an emoji has no octet"],
  ["x", "\ud800", "half a surrogate pair has no octet"],
  ["host", "api.example\r\nx: y", "characters are looked at before the host"],
  ["traceparent", "00-\n", "characters are looked at before a header is dropped"],
];

describe("screenRequestHeaders", () => {
  for (const [name, value, why] of refused) {
    test(`does not allow ${JSON.stringify(name)}: ${JSON.stringify(value)}: ${why}`, () => {
      expect(reasonOf(name, value)).toBe("header_not_allowed");
    });
  }
  for (const [name, value, why] of invalid) {
    test(`calls ${JSON.stringify(name)}: ${JSON.stringify(value)} malformed: ${why}`, () => {
      expect(reasonOf(name, value)).toBe("invalid_header");
    });
  }
});

function reasonOf(name: string, value: string): string {
  const result = screenRequestHeaders([[name, value]], { destination, bodyBytes: 5 });
  return result.ok ? "sent" : result.error.reason;
}
