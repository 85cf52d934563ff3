// Keeps the last modules that were prepared, so that a guest that runs often is compiled once.
// Never keeps a failure, and never more than its two bounds.
import type { Result } from "../core/result.ts";

/** A bounded cache of prepared modules. */
export interface ModuleCache<Value, Failure> {
  /** What is under `key`, or what `make` gives; callers that come while it is made share it. */
  get(key: string, make: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>>;
}

/** Opens a cache that forgets what was not asked for the longest. */
export function openModuleCache<Value, Failure>(options: {
  readonly entriesMax: number;
  readonly bytesMax: number;
  readonly bytesOf: (value: Value) => number;
}): ModuleCache<Value, Failure> {
  // Ordered from the one that was used longest ago: a Map keeps the order of insertion.
  const kept = new Map<string, Result<Value, Failure> & { readonly ok: true }>();
  const making = new Map<string, Promise<Result<Value, Failure>>>();
  let bytes = 0;

  function keep(key: string, made: Result<Value, Failure>): void {
    if (!made.ok || options.bytesOf(made.value) > options.bytesMax) return;
    kept.set(key, made);
    bytes += options.bytesOf(made.value);
    for (const [oldest, { value }] of kept) {
      if (kept.size <= options.entriesMax && bytes <= options.bytesMax) break;
      kept.delete(oldest);
      bytes -= options.bytesOf(value);
    }
  }

  async function makeOnce(key: string, make: () => Promise<Result<Value, Failure>>) {
    try {
      const made = await make();
      keep(key, made);
      return made;
    } finally {
      making.delete(key);
    }
  }

  return {
    get(key, make) {
      const found = kept.get(key);
      if (found !== undefined) {
        kept.delete(key);
        kept.set(key, found);
        return Promise.resolve(found);
      }
      const underWay = making.get(key);
      if (underWay !== undefined) return underWay;
      const promise = makeOnce(key, make);
      making.set(key, promise);
      return promise;
    },
  };
}
