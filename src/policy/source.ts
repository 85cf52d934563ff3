// Reads YAML or JSON text into a tree with places. The only file that knows the `yaml` package. Takes the part of YAML
// that reads like JSON: no tags, no directives, no merge keys; what aliases repeat is bounded. Never throws.

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLError } from "yaml";
import { bounds } from "../core/bounds.ts";
import type { Place, ProblemList } from "./problem.ts";
import { shown } from "./problem.ts";

/** One value of a document. Scalars keep how they were written, since `010` is ten to some and eight to others. */
export type SourceNode =
  | {
      readonly kind: "map";
      readonly place: Place;
      readonly size: number;
      readonly entries: readonly SourceEntry[];
    }
  | {
      readonly kind: "list";
      readonly place: Place;
      readonly size: number;
      readonly items: readonly SourceNode[];
    }
  | { readonly kind: "text"; readonly place: Place; readonly size: number; readonly text: string }
  | {
      readonly kind: "number" | "boolean" | "null";
      readonly place: Place;
      readonly size: number;
      readonly text: string;
    }
  /** A problem was reported for it; readers pass over it in silence. */
  | { readonly kind: "unreadable"; readonly place: Place; readonly size: number };

/** One key of a map with its value. */
export interface SourceEntry {
  readonly key: string;
  readonly place: Place;
  readonly value: SourceNode;
}

// The language nests five deep; far deeper documents would only exhaust the stack.
const depthMax = 16;

/** The tree of a document, or `undefined` when it is empty or cannot be read, which was then reported. */
export function readSource(text: string, problems: ProblemList): SourceNode | undefined {
  const start = { line: 1, column: 1 };
  if (text.length > bounds.policyBytesMax) {
    problems.error(start, {
      code: "too_large",
      message: `the policy has more than ${bounds.policyBytesMax} characters`,
      remedy: "fewer rules, or wildcards in place of lists",
    });
    return undefined;
  }
  try {
    return readDocument(text.startsWith("\uFEFF") ? text.slice(1) : text, problems);
  } catch {
    // The parser recurses; only a document made to break it gets here.
    problems.error(start, { code: "syntax", message: "the document cannot be read as YAML", remedy: "" });
    return undefined;
  }
}

interface Reading {
  readonly text: string;
  readonly problems: ProblemList;
  readonly placeOf: (offset: number) => Place;
  /** `undefined` while the anchored value is still being read. */
  readonly anchors: Map<string, SourceNode | undefined>;
}

function readDocument(text: string, problems: ProblemList): SourceNode | undefined {
  const lineCounter = new LineCounter();
  const document = parseDocument<Node, true>(text, {
    lineCounter,
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: false, // checked in readMap: the library's check compares every key with every other one
    stringKeys: true,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: "error",
  });
  const placeOf = (offset: number): Place => placeAt(lineCounter.lineStarts, offset);
  const reading: Reading = { text, problems, placeOf, anchors: new Map() };
  const { directives } = document;
  const hasDirective = directives?.yaml.explicit === true || Object.keys(directives?.tags ?? {}).length > 1;
  if (hasDirective || document.warnings.some((warning) => warning.code === "BAD_DIRECTIVE")) {
    // `%YAML 1.1` would turn `no` into false and `010` into eight.
    problems.error({ line: 1, column: 1 }, yamlFeature("directives", "the document without its `%` lines"));
  }
  for (const error of document.errors.slice(0, syntaxErrorsMax)) reportSyntax(error, reading);
  // After a syntax error the tree is the parser's guess, and problems in a guess mislead.
  if (document.errors.length > 0 || document.contents === null) return undefined;
  const root = readNode(document.contents, reading, 0);
  if (root.size > bounds.policyValuesMax) {
    problems.error(root.place, {
      code: "too_large",
      message: `the policy has more than ${bounds.policyValuesMax} values when its aliases are written out`,
      remedy: "fewer rules, or fewer aliases of long lists",
    });
    return undefined;
  }
  return root;
}

function readNode(node: Node | null | undefined, reading: Reading, depth: number): SourceNode {
  const [offset, end] = node?.range ?? [0, 0];
  const place = reading.placeOf(offset);
  const unreadable = (feature: string, remedy: string): SourceNode => {
    reading.problems.error(place, yamlFeature(feature, remedy), reading.text.slice(offset, end));
    return { kind: "unreadable", place, size: 1 };
  };
  if (depth > depthMax)
    return unreadable("values nested this deep", "at most a map within a list within a map");
  if (isAlias(node)) return readAlias(node.source, place, reading);
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return { kind: "null", place, size: 1, text: "" };
  if (node.tag !== undefined) return unreadable("tags", "the value without its `!` tag");
  if (node.anchor !== undefined) reading.anchors.set(node.anchor, undefined);
  const read = isMap(node)
    ? readMap(node.items as readonly YamlPair[], place, reading, depth)
    : isSeq(node)
      ? readList(node.items as readonly Node[], place, reading, depth)
      : readScalar(node.value, node.source ?? "", place);
  if (node.anchor !== undefined && reading.anchors.get(node.anchor) === undefined) {
    reading.anchors.set(node.anchor, read);
  }
  return read;
}

interface YamlPair {
  readonly key: Node;
  readonly value: Node | null;
}

function readMap(pairs: readonly YamlPair[], place: Place, reading: Reading, depth: number): SourceNode {
  const entries: SourceEntry[] = [];
  const seen = new Map<string, Place>();
  let size = 1;
  for (const pair of pairs) {
    const key = isScalar(pair.key) ? String(pair.key.value) : "";
    const keyPlace = reading.placeOf(pair.key.range?.[0] ?? 0);
    if (isScalar(pair.key) && pair.key.tag !== undefined) {
      reading.problems.error(keyPlace, yamlFeature("tags", `\`${key}:\``));
    }
    const value =
      pair.value === null ? readNode(null, reading, depth + 1) : readNode(pair.value, reading, depth + 1);
    size += 1 + value.size;
    const first = seen.get(key);
    if (key === "<<") {
      reading.problems.error(
        keyPlace,
        yamlFeature("merge keys", "the keys themselves, or an alias of a whole value"),
        key,
      );
    } else if (first !== undefined) {
      const message = `${shown(key)} stands here for a second time; the first one is in line ${first.line}`;
      reading.problems.error(keyPlace, { code: "duplicate_key", message, remedy: `one \`${key}:\`` }, key);
    } else {
      seen.set(key, keyPlace);
      const isBare = value.kind === "null" && value.text === "";
      entries.push({ key, place: keyPlace, value: isBare ? { ...value, place: keyPlace } : value });
    }
  }
  return { kind: "map", place, size, entries };
}

function readList(nodes: readonly Node[], place: Place, reading: Reading, depth: number): SourceNode {
  const items = nodes.map((node) => readNode(node, reading, depth + 1));
  return { kind: "list", place, items, size: items.reduce((sum, item) => sum + item.size, 1) };
}

function readScalar(value: unknown, source: string, place: Place): SourceNode {
  if (typeof value === "string") return { kind: "text", place, size: 1, text: value };
  const kind = value === null ? "null" : typeof value === "boolean" ? "boolean" : "number";
  return { kind, place, size: 1, text: source };
}

// The same node stands for every alias of it, so a billion laughs cost nothing here; `size` tells what they stand for.
function readAlias(name: string, place: Place, reading: Reading): SourceNode {
  const target = reading.anchors.get(name);
  if (target !== undefined) return target;
  const isPattern = name.startsWith(".") || name.startsWith("*") || name === "";
  reading.problems.error(
    place,
    {
      code: "yaml_feature",
      message: `YAML reads ${shown(`*${name}`)} as an alias, and no anchor of that name stands before it`,
      remedy: isPattern
        ? `"https://*${name}", with its scheme`
        : `&${name} at the value that is meant, above this line`,
    },
    `*${name}`,
  );
  return { kind: "unreadable", place, size: 1 };
}

function yamlFeature(
  feature: string,
  remedy: string,
): { code: "yaml_feature"; message: string; remedy: string } {
  return { code: "yaml_feature", message: `a policy takes no YAML ${feature}`, remedy };
}

const syntaxRemedies: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  TAB_AS_INDENT: "spaces for the indentation",
  MULTIPLE_DOCS: "one document in one file, without a second `---`",
  NON_STRING_KEY: "a word as the key",
  BAD_ALIAS: 'a name in quotation marks when it starts with `*`: "https://**"',
  BAD_SCALAR_START: "the value in quotation marks",
  BLOCK_AS_IMPLICIT_KEY: "the value in quotation marks when it holds `: `",
  MISSING_CHAR:
    'a value with brackets, braces or commas within a [list] in quotation marks: ["https://[2001:db8::1]:8443"]',
};

const syntaxMessages: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  MULTIPLE_DOCS: "the file has a second document behind `---`, and a policy is one",
};

// One mistake can make the parser stumble at every line behind it.
const syntaxErrorsMax = 10;

function reportSyntax(error: YAMLError, reading: Reading): void {
  const [from, to] = error.pos;
  if (/call stack|stack overflow/i.test(error.message)) {
    const message = "the document nests too deeply to be read; a policy nests five deep";
    reading.problems.error(reading.placeOf(from), {
      code: "syntax",
      message,
      remedy: "the brackets that belong",
    });
    return;
  }
  const text = reading.text.slice(from, Math.max(to, from + 1)).split("\n", 1)[0] ?? "";
  const words =
    syntaxMessages[error.code] ?? `the document is no YAML: ${error.message.replace(/[.\s]+$/, "")}`;
  const remedy =
    syntaxRemedies[error.code] ?? "brackets and quotation marks closed, and lists indented alike";
  const finding = { code: "syntax" as const, message: words, remedy };
  reading.problems.error(reading.placeOf(from), finding, text);
}

function placeAt(lineStarts: readonly number[], offset: number): Place {
  let low = 0;
  let high = lineStarts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return { line: Math.max(low, 1), column: offset - (lineStarts[low - 1] ?? 0) + 1 };
}
