// The JSON Schema of the policy language, for editors and for other programs. It tells the shape; what it cannot tell (unique ids,
// hosts, host bits of a range) the parser tells. policies/policy.schema.json is its exact print.

/** JSON Schema 2020-12 of a policy document. */
export const policySchema: Readonly<Record<string, unknown>> = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "https://sallyport.example/policy.schema.json",
  title: "Sallyport policy, version 1",
  description:
    "Which HTTP requests an untrusted guest may send. What no rule allows is denied; deny beats allow; order has no meaning.",
  type: "object",
  additionalProperties: false,
  required: ["version"],
  properties: {
    version: { description: "The version of the language.", const: 1, examples: [1] },
    name: {
      description: "What records call this policy. Default: the file's base name.",
      type: "string",
      minLength: 1,
      maxLength: 128,
      examples: ["weather-widget"],
    },
    mode: {
      description:
        "`enforce` denies what no rule allows. `report` lets it through and records it as `would_deny`; address guards, header screens and hard limits still deny. Default: enforce.",
      enum: ["enforce", "report"],
      examples: ["enforce"],
    },
    rules: {
      description: "The rules, in any order. None at all: everything is denied.",
      type: ["array", "null"],
      items: { $ref: "#/$defs/rule" },
    },
    limits: {
      description: "Limits of the guest as a whole; those of rules hold besides.",
      $ref: "#/$defs/limits",
    },
  },
  $defs: {
    rule: {
      description: "One rule. It matches a request when its destination, method and path all match.",
      type: "object",
      additionalProperties: false,
      required: ["id", "to"],
      properties: {
        id: {
          description: "Names the rule in spans, audit records and explanations; unique within the document.",
          type: "string",
          pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
          examples: ["forecast"],
        },
        effect: {
          description:
            "What the rule does to requests that it matches. Deny beats allow, always. Default: allow.",
          enum: ["allow", "deny"],
          examples: ["deny"],
        },
        to: {
          description:
            "One pattern or a list of them: `scheme://host[:port]`. Hosts: an exact name, `*.example.com` (one more label), `**.example.com` (one or more), `**` (any public-looking name), an IP literal, a CIDR range. Ports: absent is the scheme's default, `:8443`, `:8000-8999`, `:*`.",
          anyOf: [
            { $ref: "#/$defs/pattern" },
            { type: "array", minItems: 1, items: { $ref: "#/$defs/pattern" } },
          ],
          examples: ["https://api.example.com", ["https://*.example.com", "http://10.0.0.0/8:8080"]],
        },
        methods: {
          description:
            "The methods that match, case-sensitive. Default: every method but CONNECT, TRACE and TRACK, which no policy allows.",
          type: "array",
          minItems: 1,
          items: { type: "string", pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$" },
          examples: [["GET", "HEAD"]],
        },
        paths: {
          description:
            "The paths that match: `*` is one segment, `**` at the end any rest. Default: every path.",
          type: "array",
          minItems: 1,
          items: { type: "string", pattern: "^/[^?#\\\\]*$" },
          examples: [["/v1/forecast/**"]],
        },
        addresses: {
          description:
            "Special-purpose addresses that the rule may reach: CIDR ranges, addresses, or the names of ranges. Cloud metadata needs its exact address. In a deny rule: destinations whose name leads into one of these ranges are denied.",
          type: "array",
          minItems: 1,
          items: {
            anyOf: [
              { enum: ["loopback", "private", "link_local", "unique_local", "cgnat"] },
              { type: "string", pattern: "^[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?$" },
            ],
          },
          examples: [["10.20.0.0/16"], ["loopback"]],
        },
        limits: {
          description: "Limits of this rule; those of the guest hold besides.",
          $ref: "#/$defs/limits",
        },
        redirects: {
          description:
            "`follow`: 3xx responses are followed, 10 hops at most, every hop judged anew. `return`: the guest gets them. Default: what the guest's interface does.",
          enum: ["follow", "return"],
          examples: ["follow"],
        },
        traceparent: {
          description: "Whether the trace context goes upstream. Default: false.",
          type: "boolean",
          examples: [true],
        },
      },
    },
    pattern: {
      description:
        "`scheme://host[:port]`, or `insecure:allow-all`, which allows every destination and every address.",
      type: "string",
      pattern: "^(?:[Hh][Tt][Tt][Pp][Ss]?://[^\\s\\\\@?#]+|insecure:allow-all)$",
    },
    limits: {
      description: "Limits; `0` is none and not unlimited. Defaults are in docs/policy.md.",
      type: "object",
      additionalProperties: false,
      properties: {
        rate: {
          description: "Requests in a time, on average: `N/s`, `N/min` or `N/h`.",
          anyOf: [{ const: 0 }, { type: "string", pattern: "^(?:0|[1-9][0-9]*)/(?:s|min|h)$" }],
          examples: ["60/min"],
        },
        burst: {
          description: "Requests at once before `rate` tells. Default: the number in `rate`.",
          $ref: "#/$defs/count",
          examples: [10],
        },
        concurrent: {
          description: "Requests in flight and open responses, together.",
          $ref: "#/$defs/count",
          examples: [8],
        },
        requests: {
          description: "Requests in the life of a guest.",
          $ref: "#/$defs/count",
          examples: [1000],
        },
        requestBody: { description: "The body of one request.", $ref: "#/$defs/size", examples: ["64KiB"] },
        responseBody: {
          description: "The body of one response, as it comes over the wire.",
          $ref: "#/$defs/size",
          examples: ["1MiB"],
        },
        bytesOut: {
          description: "All request bodies in the life of a guest.",
          $ref: "#/$defs/size",
          examples: ["16MiB"],
        },
        bytesIn: {
          description: "All response bodies in the life of a guest.",
          $ref: "#/$defs/size",
          examples: ["1GiB"],
        },
        timeout: {
          description:
            "One request, from name resolution to the last byte of the response: `ms`, `s`, `m` or `h`.",
          anyOf: [{ const: 0 }, { type: "string", pattern: "^(?:0|[1-9][0-9]*)(?:ms|s|m|h)$" }],
          examples: ["5s"],
        },
      },
    },
    count: { description: "A whole number.", type: "integer", minimum: 0 },
    size: {
      description: "A whole number with its unit: `B`, `KiB`, `MiB` or `GiB`.",
      anyOf: [{ const: 0 }, { type: "string", pattern: "^(?:0|[1-9][0-9]*)(?:B|KiB|MiB|GiB)$" }],
    },
  },
};
