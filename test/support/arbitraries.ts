// Random destinations in normal form, and random other spellings of a URL that mean the same.
import fc from "fast-check";
import { type Destination, parseDestination } from "../../src/url/destination.ts";

/** The destination of a text that must be one. */
export function destinationOf(text: string): Destination {
  const parsed = parseDestination(text);
  if (!parsed.ok) throw new Error(`${JSON.stringify(text)}: ${parsed.error.reason}: ${parsed.error.detail}`);
  return parsed.value;
}

const plainLabel = fc.stringMatching(/^[a-z0-9_](?:[a-z0-9_-]{0,8}[a-z0-9_])?$/).filter(isOrdinaryLabel);
const lastLabel = fc.constantFrom("com", "example", "org", "dev", "test", "xn--p1ai", "internal");
const aLabel = fc.constantFrom("xn--bcher-kva", "xn--fiqs8s", "xn--strae-oqa", "xn--mnchen-3ya");

/** Names in canonical form, of one to four labels, some of them internationalised. */
export const names: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.array(fc.oneof({ weight: 5, arbitrary: plainLabel }, aLabel), { maxLength: 3 }), lastLabel)
      .map(([labels, last]) => [...labels, last].join(".")),
  },
  { weight: 1, arbitrary: fc.constantFrom("localhost", "intranet", "metadata.google.internal") },
);

/** IPv4 addresses in dotted decimal. */
export const ipv4Texts: fc.Arbitrary<string> = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 })
  .map((octets) => octets.join("."));

/** IPv6 addresses in canonical form that are not IPv4-mapped, often with runs of zeros. */
export const ipv6Texts: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .filter((groups) => !(groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)))
  .map(
    (groups) => destinationOf(`http://[${groups.map((group) => group.toString(16)).join(":")}]/`).hostText,
  );

const hosts = fc.oneof(
  { weight: 6, arbitrary: names },
  { weight: 1, arbitrary: ipv4Texts },
  { weight: 1, arbitrary: ipv6Texts.map((text) => `[${text}]`) },
);
const ports = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fc.constantFrom(":80", ":443", ":8443") },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 65535 }).map((port) => `:${port}`) },
);
const encoded = fc.constantFrom(
  "%20",
  "%22",
  "%2F",
  "%25",
  "%5C",
  "%00",
  "%C3%A9",
  "%7C",
  "%5B",
  "%FF",
  "%3F",
  "%23",
);
const character = fc.constantFrom(..."abcXYZ019-._~!$&()*+,;=:@");
const segment = fc
  .array(fc.oneof({ weight: 6, arbitrary: character }, encoded), { maxLength: 6 })
  .map((parts) => parts.join(""))
  .filter((text) => text !== "." && text !== "..");
const paths = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
const queries = fc.oneof(
  fc.constant(""),
  fc
    .array(fc.oneof({ weight: 6, arbitrary: character }, encoded, fc.constantFrom("/", "?", "%27")), {
      minLength: 1,
      maxLength: 8,
    })
    .map((parts) => `?${parts.join("")}`),
);

/** Destinations of every kind: names, addresses, ports, paths and queries. */
export const destinations: fc.Arbitrary<Destination> = fc
  .tuple(fc.constantFrom("http", "https"), hosts, ports, paths, queries)
  .map(([scheme, host, port, path, query]) => destinationOf(`${scheme}://${host}${port}${path}${query}`));

/** Other spellings of a URL that has a destination: all of them must lead to an equal one. Shrinks to the normal form. */
export function respell(url: string): fc.Arbitrary<string> {
  const destination = destinationOf(url);
  return fc
    .array(fc.nat({ max: 1_000_000 }), { minLength: 1, maxLength: 64 })
    .map((throws) => respellWith(destination, dice(throws)));
}

/** A destination with another spelling of its URL. */
export const respelled: fc.Arbitrary<{ destination: Destination; spelling: string }> = destinations.chain(
  (destination) => respell(destination.url).map((spelling) => ({ destination, spelling })),
);

// Gives a number below `sides`; 0 is always "leave it as it is".
type Dice = (sides: number) => number;

function dice(throws: readonly number[]): Dice {
  let position = 0;
  return (sides) => {
    const value = throws[position % throws.length] ?? 0;
    position += 1;
    // The round is mixed in, so that few throws do not make one pattern; all zeros stay zeros.
    return (value * (1 + Math.floor(position / throws.length))) % sides;
  };
}

function respellWith(destination: Destination, roll: Dice): string {
  const scheme = randomCase(destination.scheme, roll);
  const host = respellHost(destination, roll);
  const fragment = roll(4) === 1 ? "#fragment?%zz" : "";
  const emptyQuery = destination.query === "" && roll(5) === 1 ? "?" : "";
  const path = respellText(destination.path, `"<>[]^\`{|}`, roll).replaceAll("/", () => withDots(roll));
  // A path that is `/` alone may be left out.
  const shortPath = path === "/" && roll(3) === 1 ? "" : path;
  const query = respellText(destination.query, `"<>[]^\`{|}'`, roll);
  return `${scheme}://${host}${respellPort(destination, roll)}${shortPath}${query}${emptyQuery}${fragment}`;
}

function withDots(roll: Dice): string {
  const spellings = ["/", "/", "/", "/./", "/x/../", "/%2e/", "/x/%2E%2e/", "/x/.%2e/", "/%2E/y/%2e./"];
  return spellings[roll(spellings.length)] ?? "/";
}

function respellPort({ scheme, port }: Destination, roll: Dice): string {
  const isDefault = port === (scheme === "http" ? 80 : 443);
  const written = roll(2) === 1 || !isDefault;
  return written ? `:${"0".repeat(roll(3))}${port}` : "";
}

function respellHost({ host, hostText }: Destination, roll: Dice): string {
  switch (host.kind) {
    case "name":
      return respellName(host.name, roll) + (roll(3) === 1 ? "." : "");
    case "ipv4":
      return respellIpv4(host.ip.bytes, roll);
    case "ipv6":
      return `[${respellIpv6(hostText, host.ip.bytes, roll)}]`;
  }
}

function respellName(name: string, roll: Dice): string {
  return [...name]
    .map((letter) => {
      const way = roll(8);
      if (way === 1) return letter.toUpperCase();
      if (way === 2) return percent(letter.charCodeAt(0), roll);
      // Full-width forms lie 0xfee0 above ASCII; IDEOGRAPHIC FULL STOP is a dot.
      if (way === 3 && /[a-z0-9-]/.test(letter)) return String.fromCharCode(letter.charCodeAt(0) + 0xfee0);
      return way === 3 && letter === "." ? "\u3002" : letter;
    })
    .join("");
}

function respellIpv4(bytes: Uint8Array, roll: Dice): string {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const number = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = number.toString(16).padStart(8, "0");
  const spellings = [
    bytes.join("."),
    `${bytes.join(".")}.`,
    String(number),
    `0x${hex}`,
    `0X${hex.toUpperCase()}`,
    `0${number.toString(8)}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `${a}.${b}.${c * 256 + d}`,
    [...bytes].map((octet) => `0x${octet.toString(16)}`).join("."),
    [...bytes].map((octet) => `00${octet.toString(8)}`).join("."),
    `[::ffff:${bytes.join(".")}]`,
    `[::FFFF:${hex.slice(0, 4)}:${hex.slice(4)}]`,
    `[0:0:0:0:0:ffff:${hex.slice(0, 4)}:${hex.slice(4)}]`,
    [...bytes.join(".")]
      .map((digit) => (digit === "." ? "\uff0e" : String.fromCharCode(digit.charCodeAt(0) + 0xfee0)))
      .join(""),
    [...bytes.join(".")].map((digit) => `%${digit.charCodeAt(0).toString(16)}`).join(""),
  ];
  return spellings[roll(spellings.length)] ?? "";
}

function respellIpv6(text: string, bytes: Uint8Array, roll: Dice): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    Buffer.from(bytes)
      .readUInt16BE(index * 2)
      .toString(16),
  );
  const dotted = `${groups.slice(0, 6).join(":")}:${bytes.subarray(12).join(".")}`;
  const spellings = [
    text,
    text.toUpperCase(),
    groups.join(":"),
    groups.map((group) => group.padStart(4, "0")).join(":"),
    dotted,
  ];
  return spellings[roll(spellings.length)] ?? text;
}

// One unit at a time: an encoded octet, a UTF-8 sequence that may be written raw, or a character.
function respellText(text: string, rawAllowed: string, roll: Dice): string {
  return text.replace(/%C3%A9|%[0-9A-F]{2}|[A-Za-z0-9\-._~]/g, (unit) => {
    const way = roll(6);
    if (way === 0) return unit;
    if (!unit.startsWith("%")) return way === 1 ? percent(unit.charCodeAt(0), roll) : unit;
    const raw = decodeRaw(unit);
    if (way === 1 && raw !== undefined && (raw === "\u00e9" || rawAllowed.includes(raw))) return raw;
    return randomCase(unit, roll);
  });
}

function decodeRaw(unit: string): string | undefined {
  try {
    return decodeURIComponent(unit);
  } catch {
    return undefined;
  }
}

function percent(code: number, roll: Dice): string {
  return randomCase(`%${code.toString(16).toUpperCase().padStart(2, "0")}`, roll);
}

function randomCase(text: string, roll: Dice): string {
  return [...text].map((letter) => (roll(3) === 1 ? swapCase(letter) : letter)).join("");
}

function swapCase(letter: string): string {
  return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
}

function isOrdinaryLabel(label: string): boolean {
  return label.slice(2, 4) !== "--";
}
