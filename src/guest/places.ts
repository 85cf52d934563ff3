// Who may run now: a bounded number of guests, with a bounded amount of code, in the order in which they came.
// Never overtakes: a guest with much code would otherwise wait for ever behind a stream of small ones.

/** A place, or the wait for one. */
export interface Place {
  /** Resolves when it is this one's turn. Never rejects. */
  readonly granted: Promise<void>;
  /** Gives the place back, or gives up waiting. May be called again. */
  leave(): void;
}

/** A bounded number of places. */
export interface Places {
  /** Asks for a place. What has the same `code` weighs once, however many there are of it. */
  enter(code: object, weight: number): Place;
}

interface Guest {
  readonly code: object;
  readonly weight: number;
  readonly grant: () => void;
}

/** Opens places for `countMax` guests with code of `weightMax` together; one that weighs more may run alone. */
export function openPlaces(options: { readonly countMax: number; readonly weightMax: number }): Places {
  const waiting = new Set<Guest>();
  const inside = new Set<Guest>();
  /** How many of those inside have each code. */
  const holders = new Map<object, number>();
  let weight = 0;

  function fits(guest: Guest): boolean {
    if (inside.size === 0) return true;
    if (inside.size >= options.countMax) return false;
    return holders.has(guest.code) || weight + guest.weight <= options.weightMax;
  }

  function admit(): void {
    for (const guest of waiting) {
      if (!fits(guest)) return;
      waiting.delete(guest);
      inside.add(guest);
      const held = holders.get(guest.code) ?? 0;
      holders.set(guest.code, held + 1);
      if (held === 0) weight += guest.weight;
      guest.grant();
    }
  }

  function leave(guest: Guest): void {
    const wasInside = inside.delete(guest);
    if (wasInside) {
      const left = (holders.get(guest.code) ?? 0) - 1;
      if (left > 0) {
        holders.set(guest.code, left);
      } else {
        holders.delete(guest.code);
        weight -= guest.weight;
      }
    }
    // One that gave up may have been the one that held up the rest.
    if (waiting.delete(guest) || wasInside) admit();
  }

  return {
    enter(code, weight) {
      const { promise: granted, resolve: grant } = Promise.withResolvers<void>();
      const guest: Guest = { code, weight, grant };
      waiting.add(guest);
      admit();
      return { granted, leave: () => leave(guest) };
    },
  };
}
