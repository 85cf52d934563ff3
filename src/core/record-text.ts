// Text of strangers made fit to be written down: bounded, well-formed, on one line, without anything that steers
// a terminal. Never a place for redaction: a secret passes here unchanged.

const plain = /^[\x20-\x7e]*$/;

// Cc and Zl, Zp break lines and steer terminals; Cf hides or reorders text (bidi, zero width, tags); Cs is half a character.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Writes unprintable characters as `\u{hex}`, so that a record has one line and reads from left to right. */
export function escapeControls(text: string): string {
  if (plain.test(text)) return text;
  return text.replace(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The text, or its first `lengthMax` UTF-16 units of which the last three are dots that say so. */
export function boundText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const cut = text.slice(0, Math.max(lengthMax - 3, 0));
  // A cut between the halves of a character would leave text that no UTF-8 can hold.
  const whole = /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
  return `${whole}...`.slice(0, lengthMax);
}

/** What a span or a record keeps of a text: escaped, then at most `lengthMax` UTF-16 units. */
export function recordText(text: string, lengthMax: number): string {
  // Nearly all texts end here; this runs some forty times a request.
  if (text.length <= lengthMax && plain.test(text)) return text;
  // Escaping makes text longer, never shorter, so what lies behind the bound is not even looked at.
  return boundText(escapeControls(boundText(text, lengthMax + 3)), lengthMax);
}
