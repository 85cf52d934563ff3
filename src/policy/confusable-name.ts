// Tells names that are made to be taken for other names. A hint for the reviewer of a policy, never a reason to deny:
// what a name looks like depends on fonts.

import { type Finding, shown } from "./problem.ts";

/**
 * A warning when a label mixes alphabets that are not written together, or has or consists of
 * letters that look Latin. `name` is the canonical form of what was written as `text`.
 */
export function confusableFinding(text: string, name: string): readonly Finding[] {
  for (const label of name.split(".")) {
    const unicode = decodeLabel(label);
    const why = unicode === undefined ? undefined : confusion(unicode);
    if (why === undefined) continue;
    const message = `${shown(text)} has the label ${shown(unicode ?? "")} (\`${label}\`), which ${why}`;
    return [{ code: "confusable_name", message, remedy: `${name}, if this very name is meant` }];
  }
  return [];
}

// The scripts that domain names are written in; Common and Inherited characters belong to none.
const scriptNames = (
  "Latin Cyrillic Greek Armenian Cherokee Coptic Georgian Hebrew Arabic Syriac Thaana Nko Devanagari Bengali Gurmukhi " +
  "Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Ethiopic Khmer Mongolian Tifinagh " +
  "Lisu Han Hiragana Katakana Bopomofo Hangul"
).split(" ");
const scripts = new Map(scriptNames.map((name) => [name, new RegExp(`\\p{Script=${name}}`, "u")]));
// What is written together in earnest (Unicode TR 39 section 5.2, "highly restrictive").
const writtenTogether = [
  ["Latin", "Han", "Hiragana", "Katakana"],
  ["Latin", "Han", "Bopomofo"],
  ["Latin", "Han", "Hangul"],
];
// Phonetic letters are Latin to Unicode, and to the eye.
const phonetic = /[\u0250-\u02af\u1d00-\u1dbf]/u;
// Cyrillic and Greek letters that most fonts draw like a Latin one (after Unicode TR 39's confusables).
const lookalikes = /^[-0-9асԁеԍһіјӏкорԗԛѕтԝхувьѵѡүғαιικνορυχγωητ]+$/u;

function confusion(label: string): string | undefined {
  const found = scriptNames.filter((name) => scripts.get(name)?.test(label));
  const together = writtenTogether.some((set) => found.every((name) => set.includes(name)));
  if (found.length > 1 && !together) return `mixes alphabets (${found.join(", ")})`;
  if (phonetic.test(label)) return "has phonetic letters that look like Latin ones";
  if (lookalikes.test(label) && /[^-0-9]/.test(label)) return "consists of letters that look like Latin ones";
  return undefined;
}

// RFC 3492 section 6.2, with the parameters of section 5. The name layer has checked the label; what does not
// decode here is left alone.
function decodeLabel(label: string): string | undefined {
  if (!label.startsWith("xn--")) return undefined;
  const encoded = label.slice("xn--".length);
  const basicLength = Math.max(encoded.lastIndexOf("-"), 0);
  const codePoints = Array.from(encoded.slice(0, basicLength), (letter) => letter.codePointAt(0) ?? 0);
  let codePoint = 128;
  let bias = 72;
  let position = 0;
  let at = basicLength > 0 ? basicLength + 1 : 0;
  while (at < encoded.length) {
    const before = position;
    let weight = 1;
    for (let k = 36; ; k += 36) {
      const digit = digitValue(encoded.charCodeAt(at));
      at += 1;
      if (digit === undefined) return undefined;
      position += digit * weight;
      const threshold = Math.min(Math.max(k - bias, 1), 26);
      if (digit < threshold) break;
      weight *= 36 - threshold;
    }
    const length = codePoints.length + 1;
    bias = adapt(position - before, length, before === 0);
    codePoint += Math.floor(position / length);
    position %= length;
    if (codePoint > 0x10ffff) return undefined;
    codePoints.splice(position, 0, codePoint);
    position += 1;
  }
  return String.fromCodePoint(...codePoints);
}

function digitValue(code: number): number | undefined {
  if (code >= 0x61 && code <= 0x7a) return code - 0x61;
  return code >= 0x30 && code <= 0x39 ? code - 0x30 + 26 : undefined;
}

function adapt(delta: number, length: number, isFirst: boolean): number {
  let scaled = isFirst ? Math.floor(delta / 700) : delta >> 1;
  scaled += Math.floor(scaled / length);
  let k = 0;
  for (; scaled > 455; k += 36) scaled = Math.floor(scaled / 35);
  return k + Math.floor((36 * scaled) / (scaled + 38));
}
