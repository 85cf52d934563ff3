// What each command is, for its help text and for reading its arguments. Loads nothing, so that help is quick.
import type { CommandDescription } from "./arguments.ts";

export const runDescription: CommandDescription = {
  name: "run",
  synopsis: ["run [options] MODULE [-- ARGS...]"],
  purpose: "Runs a WebAssembly module; its HTTP requests go where the policy says and nowhere else.",
  options: [
    {
      name: "policy",
      short: "p",
      value: "FILE",
      help: "the policy; without it and without -a every request is denied",
    },
    {
      name: "allowed-host",
      short: "a",
      value: "PATTERN",
      repeatable: true,
      help: "allow scheme://host[:port] instead of a policy file; may be repeated",
    },
    {
      name: "concurrency",
      short: "c",
      value: "N",
      help: "responses that the guest may have open at once; 0 is none",
    },
    {
      name: "invoke",
      short: "i",
      value: "NAME",
      help: "call this export instead of _start, with ARGS as its numbers; its results are printed one a line",
    },
    {
      name: "env",
      short: "e",
      value: "NAME=VALUE",
      repeatable: true,
      help: "one variable of the guest's environment, which is empty otherwise; may be repeated",
    },
    {
      name: "guest",
      value: "NAME",
      help: "the guest's name in spans and records; default: the module's base name",
    },
    {
      name: "timeout",
      value: "DURATION",
      help: "the whole run's deadline, as 500ms, 5s, 2m or 1h; default: 5m",
    },
    { name: "max-memory", value: "SIZE", help: "the guest's memory at most, as 64MiB; default: 256MiB" },
    {
      name: "isolation",
      value: "thread",
      help: "where the guest runs: a thread of its own, killable at any instant",
    },
    {
      name: "audit",
      value: "DIR",
      help: "write the audit log into this folder; a request that cannot be recorded is not made",
    },
    {
      name: "otlp-endpoint",
      value: "URL",
      help: "send spans to this collector (OTLP over HTTP), as http://localhost:4318",
    },
    {
      name: "ca",
      value: "FILE",
      help: "certificate authorities in PEM form that are trusted besides the usual ones",
    },
    {
      name: "resolve",
      value: "NAME=IP[,IP]",
      repeatable: true,
      help: "the addresses of a name, instead of asking DNS; vetted like any other answer; may be repeated",
    },
    {
      name: "allow-address",
      value: "RANGE",
      repeatable: true,
      help: "special addresses that the -a patterns may reach: loopback, private, link_local, unique_local, cgnat or a CIDR",
    },
    {
      name: "report-only",
      help: "let through what the rules deny and say so; address guards and hard limits still deny",
    },
    { name: "summary", help: "print a table of the guest's requests on standard error at the end" },
    { name: "report", value: "FILE", help: "write the exit status and the requests to this file as JSON" },
  ],
  notes: [
    "Exit status: the guest's own; 134 it trapped; 124 the deadline ended it; 130 or 143 a signal ended it; " +
      "2 it could not be run.",
    "Standard OTEL_* variables are honoured; this process's environment never reaches the guest.",
  ],
  examples: [
    "sallyport run -p policies/weather.yaml weather.wasm -- --city Bern",
    "sallyport run -a https://api.weather.example --summary weather.wasm",
    "sallyport run -i add sum.wasm 2 3",
  ],
};

export const checkDescription: CommandDescription = {
  name: "policy check",
  synopsis: ["policy check [options] FILE..."],
  purpose:
    "Reads policy files and reports every problem with its place and the spelling that would be right.",
  options: [
    { name: "format", value: "text|json", help: "how the problems are printed; default: text" },
    { name: "json", help: "the same as --format json" },
  ],
  notes: ["Exit status: 0 no errors (warnings do not fail), 1 errors, 2 a file could not be read."],
  examples: ["sallyport policy check policies/*.yaml"],
};

export const explainDescription: CommandDescription = {
  name: "policy explain",
  synopsis: ["policy explain [options] FILE [METHOD] URL", "policy explain --batch FILE < requests.jsonl"],
  purpose: "Judges a request without sending it, by the same code that guards a run, and says why.",
  options: [
    {
      name: "resolves",
      value: "IP",
      repeatable: true,
      help: "an address that the name leads to; may be repeated; without it addresses are not judged",
    },
    { name: "json", help: "print the judgement as one JSON object" },
    {
      name: "batch",
      help:
        'judge JSON lines {"method","url","headers","resolves"} of standard input and print ' +
        '{"effect","reason","stage","rule","range","destination"}, one a line, in the same order',
    },
  ],
  notes: [
    "METHOD is GET when it is left out. Exit status: 0 allowed, 1 denied, 2 the policy could not be read. " +
      "With --batch: 0 every line was judged, 1 some lines were not requests.",
  ],
  examples: [
    "sallyport policy explain policies/weather.yaml POST https://api.weather.example/v1/forecast",
    "sallyport policy explain policies/weather.yaml https://cache.corp.example/ --resolves 10.20.0.7",
  ],
};

export const schemaDescription: CommandDescription = {
  name: "policy schema",
  synopsis: ["policy schema"],
  purpose: "Prints the JSON Schema of policy files, for editors.",
  options: [{ name: "json", help: "accepted for the sake of uniformity: the schema is JSON anyway" }],
  notes: [],
  examples: ["sallyport policy schema > policy.schema.json"],
};
