// Places for running guests: bounded by number and by code, in the order of arrival.
import { describe, expect, test } from "vitest";
import { openPlaces, type Place } from "../../src/guest/places.ts";

async function isGranted(place: Place): Promise<boolean> {
  return Promise.race([place.granted.then(() => true), Promise.resolve().then(() => false)]);
}

function grantedOf(places: readonly Place[]): Promise<boolean[]> {
  return Promise.all(places.map(isGranted));
}

describe("places", () => {
  test("no more are inside than may, and who leaves lets the next in", async () => {
    const { enter } = openPlaces({ countMax: 2, weightMax: 100 });
    const [one, two, three, four] = [enter({}, 1), enter({}, 1), enter({}, 1), enter({}, 1)];
    expect(await grantedOf([one, two, three, four])).toEqual([true, true, false, false]);
    two.leave();
    expect(await grantedOf([three, four])).toEqual([true, false]);
    two.leave();
    expect(await isGranted(four)).toBe(false);
    one.leave();
    expect(await isGranted(four)).toBe(true);
  });

  test("who gives up waiting lets the next in as well", async () => {
    const { enter } = openPlaces({ countMax: 9, weightMax: 10 });
    const [small, large, next] = [enter({}, 5), enter({}, 9), enter({}, 5)];
    expect(await grantedOf([small, large, next])).toEqual([true, false, false]);
    large.leave();
    expect(await isGranted(next)).toBe(true);
  });

  test("different code weighs together, the same code once", async () => {
    const { enter } = openPlaces({ countMax: 9, weightMax: 10 });
    const code = {};
    const inside = [enter(code, 6), enter(code, 6), enter({}, 4)];
    const waiting = enter({}, 1);
    expect(await grantedOf([...inside, waiting])).toEqual([true, true, true, false]);
    inside[0]?.leave();
    expect(await isGranted(waiting)).toBe(false);
    inside[1]?.leave();
    expect(await isGranted(waiting)).toBe(true);
  });

  test("what weighs more than all places runs alone", async () => {
    const { enter } = openPlaces({ countMax: 9, weightMax: 10 });
    const heavy = enter({}, 50);
    const light = enter({}, 1);
    expect(await grantedOf([heavy, light])).toEqual([true, false]);
    heavy.leave();
    expect(await isGranted(light)).toBe(true);
  });

  test("nobody is overtaken", async () => {
    const { enter } = openPlaces({ countMax: 9, weightMax: 10 });
    const [one, heavy, light] = [enter({}, 5), enter({}, 10), enter({}, 1)];
    expect(await grantedOf([one, heavy, light])).toEqual([true, false, false]);
    one.leave();
    expect(await grantedOf([heavy, light])).toEqual([true, false]);
  });
});
