// Guesses which known word was meant. A guess only ever goes into a remedy; nothing is accepted because of it.

/** The known word nearest to `text`, or `undefined` when none is near enough to be worth a guess. */
export function nearestWord(text: string, known: readonly string[]): string | undefined {
  const folded = fold(text);
  const same = known.find((word) => fold(word) === folded);
  if (same !== undefined) return same;
  let nearest: string | undefined;
  // A third of the letters may be wrong: `efect`, `respnseBody`; more is another word.
  let nearestDistance = Math.floor(folded.length / 3) + 1;
  for (const word of known) {
    const distance = editDistance(folded, fold(word));
    if (distance < nearestDistance) {
      nearest = word;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** A list of words for a message: `a`, `b` or `c`. */
export function wordList(words: readonly string[], link: "or" | "and" = "or"): string {
  const quoted = words.map((word) => `\`${word}\``);
  const last = quoted.at(-1) ?? "";
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(", ")} ${link} ${last}`;
}

function fold(text: string): string {
  return text
    .slice(0, 64)
    .toLowerCase()
    .replace(/[_\s-]/g, "");
}

// Optimal string alignment: a swap of neighbours is one mistake, since fingers make it as one.
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = at(rows, i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(at(rows, i - 1, j) + 1, (row[j - 1] ?? 0) + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, at(rows, i - 2, j - 2) + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return at(rows, a.length, b.length);
}

function at(rows: readonly (readonly number[])[], row: number, column: number): number {
  return rows[row]?.[column] ?? Number.MAX_SAFE_INTEGER;
}
