// The one spelling of a path and of a query. Never decodes a character that has a meaning of its own,
// so that the server reads what the guest wrote.

// A `%` that no two hex digits follow.
const lonePercent = /%(?![0-9A-Fa-f]{2})/g;
const encodedOctet = /%[0-9A-Fa-f]{2}/g;
const unreserved = /^[A-Za-z0-9\-._~]$/;
// Everything but pchar and `/` (RFC 3986 section 3.3), and `%`, which has been looked at by then.
const notInPath = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/g;
// A query may have `/` and `?` as well. It may have `'` too, but the URL standard encodes it there, and so
// would every client that reads our normal form again.
const notInQuery = /[^A-Za-z0-9\-._~!$&()*+,;=:@/?%]/g;

/**
 * The normal form of a path or query that the URL parser has brought to ASCII and freed of dot segments:
 * unreserved characters decoded (RFC 3986 section 6.2.2.2), hex digits in upper case (6.2.2.1), characters
 * that may not stand there raw encoded (3.3, 3.4). A `%` that no two hex digits follow is one of those: the
 * URL standard keeps it, some servers refuse it, and none may see an escape come into being by decoding.
 */
export function normalisePercentEncoding(text: string, part: "path" | "query"): string {
  const decoded = text.includes("%")
    ? text.replace(lonePercent, "%25").replace(encodedOctet, decodeUnreserved)
    : text;
  return decoded.replace(part === "path" ? notInPath : notInQuery, encodeAscii);
}

/** Whether a path in normal form has a `.` or `..` segment, which a server would walk. */
export function hasDotSegment(path: string): boolean {
  return /\/\.{1,2}(?:\/|$)/.test(path);
}

function decodeUnreserved(octet: string): string {
  const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16));
  return unreserved.test(character) ? character : octet.toUpperCase();
}

function encodeAscii(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
