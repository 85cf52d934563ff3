// A certificate authority for tests and demos, made at run time: ECDSA P-256, signed with node:crypto, encoded here.
// Its keys live in memory only and must never be trusted by anything but the process that made them.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** What a certificate is for. */
export interface CertificateRequest {
  /** DNS names; the first one is the subject, too. */
  readonly names?: readonly string[];
  /** IP addresses in canonical text. */
  readonly addresses?: readonly string[];
  /** Default: 2020. */
  readonly notBefore?: Date;
  /** Default: 2049. */
  readonly notAfter?: Date;
}

/** A certificate and its key, both in PEM form: what `tls.createServer` takes. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority that issues server certificates. */
export interface CertificateAuthority {
  readonly caPem: string;
  issue(request: CertificateRequest): IssuedCertificate;
}

/** Makes an authority with a key of its own. */
export function createAuthority(name = "Sallyport test authority"): CertificateAuthority {
  const keys = newKeys();
  const issuer = commonName(name);
  const caPem = certificate({
    issuer,
    subject: issuer,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    request: {},
    extensions: [
      extension(oid.basicConstraints, sequence(tag.boolean(true)), true),
      // keyCertSign and cRLSign (RFC 5280 section 4.2.1.3).
      extension(oid.keyUsage, der(0x03, Buffer.from([1, 0x06])), true),
      extension(oid.subjectKeyIdentifier, der(0x04, keyIdentifier(keys.publicKey))),
    ],
  });
  return {
    caPem,
    issue(request) {
      const leaf = newKeys();
      const cert = certificate({
        issuer,
        subject: commonName(request.names?.[0] ?? request.addresses?.[0] ?? "nobody"),
        publicKey: leaf.publicKey,
        signingKey: keys.privateKey,
        request,
        extensions: leafExtensions(request, leaf.publicKey, keys.publicKey),
      });
      return { cert, key: pemOf(leaf.privateKey) };
    },
  };
}

/** Makes a certificate that vouches for itself. */
export function selfSigned(request: CertificateRequest): IssuedCertificate {
  const keys = newKeys();
  const subject = commonName(request.names?.[0] ?? "nobody");
  const cert = certificate({
    issuer: subject,
    subject,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    request,
    extensions: leafExtensions(request, keys.publicKey, keys.publicKey),
  });
  return { cert, key: pemOf(keys.privateKey) };
}

interface Contents {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly request: CertificateRequest;
  readonly extensions: readonly Buffer[];
}

const defaultStart = new Date("2020-01-01T00:00:00Z");
const defaultEnd = new Date("2049-12-31T23:59:59Z");

// RFC 5280 section 4.1.
function certificate({ issuer, subject, publicKey, signingKey, request, extensions }: Contents): string {
  const algorithm = sequence(objectIdentifier(oid.ecdsaWithSha256));
  const toSign = sequence(
    der(0xa0, tag.integer(Buffer.from([2]))),
    tag.integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    issuer,
    sequence(time(request.notBefore ?? defaultStart), time(request.notAfter ?? defaultEnd)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", toSign, { key: signingKey, dsaEncoding: "der" });
  const whole = sequence(toSign, algorithm, tag.bitString(signature));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

function leafExtensions(request: CertificateRequest, own: KeyObject, issuer: KeyObject): Buffer[] {
  const names = (request.names ?? []).map((name) => der(0x82, Buffer.from(name, "latin1")));
  const addresses = (request.addresses ?? []).map((address) => der(0x87, addressBytes(address)));
  return [
    extension(oid.basicConstraints, sequence(), true),
    // digitalSignature.
    extension(oid.keyUsage, der(0x03, Buffer.from([7, 0x80])), true),
    extension(oid.extendedKeyUsage, sequence(objectIdentifier(oid.serverAuthentication))),
    extension(oid.subjectKeyIdentifier, der(0x04, keyIdentifier(own))),
    extension(oid.authorityKeyIdentifier, sequence(der(0x80, keyIdentifier(issuer)))),
    ...(names.length + addresses.length === 0
      ? []
      : [extension(oid.subjectAlternativeName, sequence(...names, ...addresses))]),
  ];
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);
}

function addressBytes(address: string): Buffer {
  if (!address.includes(":")) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const front = groups(head);
  const back = groups(tail ?? "");
  const middle = new Array<number>(8 - front.length - back.length).fill(0);
  return Buffer.from([...front, ...middle, ...back].flatMap((group) => [group >> 8, group & 0xff]));
}

const oid = {
  authorityKeyIdentifier: "2.5.29.35",
  basicConstraints: "2.5.29.19",
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  extendedKeyUsage: "2.5.29.37",
  keyUsage: "2.5.29.15",
  serverAuthentication: "1.3.6.1.5.5.7.3.1",
  subjectAlternativeName: "2.5.29.17",
  subjectKeyIdentifier: "2.5.29.14",
} as const;

// DER (ITU-T X.690): a tag, a length, the contents.
function der(type: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([type, ...head]), body]);
}

function sequence(...contents: readonly Uint8Array[]): Buffer {
  return der(0x30, ...contents);
}

const tag = {
  boolean: (value: boolean) => der(0x01, Buffer.from([value ? 0xff : 0])),
  integer: (bytes: Uint8Array) => der(0x02, bytes),
  bitString: (bytes: Uint8Array) => der(0x03, Buffer.from([0]), bytes),
} as const;

function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const septets = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80);
    bytes.push(...septets);
  }
  return der(0x06, Buffer.from(bytes));
}

function commonName(name: string): Buffer {
  const attribute = sequence(objectIdentifier(oid.commonName), der(0x0c, Buffer.from(name, "utf8")));
  return sequence(der(0x31, attribute));
}

// UTCTime has two digits for the year (RFC 5280 section 4.1.2.5); all years used here are before 2050.
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`, "latin1"));
}

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [tag.boolean(true)] : []), der(0x04, value));
}
