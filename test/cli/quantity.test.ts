// Durations and sizes of options: the units of the policy language, and nothing that two readers read differently.
import { describe, expect, test } from "vitest";
import { readDuration, readSize } from "../../src/cli/quantity.ts";

describe("a duration", () => {
  test.each([
    ["500ms", 500],
    ["5s", 5_000],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["0s", 0],
  ])("%s is %d milliseconds", (text, value) => {
    expect(readDuration(text)).toEqual({ ok: true, value });
  });

  test.each([
    ["5", "5 has no unit", "write a duration as 500ms, 5s, 2m or 1h"],
    ["5sec", "5sec is not a duration", "write 5s"],
    ["5S", "5S is not a duration", "write 5s"],
    ["1.5s", "1.5s is not a duration", "write a duration as 500ms, 5s, 2m or 1h"],
    ["-5s", "-5s is not a duration", "write a duration as 500ms, 5s, 2m or 1h"],
    ["05s", "05s is not a duration", "write a duration as 500ms, 5s, 2m or 1h"],
    ["999999999999999h", "999999999999999h is not a duration", "write a duration as 500ms, 5s, 2m or 1h"],
    ["", " is not a duration", "write a duration as 500ms, 5s, 2m or 1h"],
  ])("%j is refused with the right spelling", (text, message, remedy) => {
    expect(readDuration(text)).toEqual({ ok: false, message, remedy });
  });
});

describe("a size", () => {
  test.each([
    ["512B", 512],
    ["64KiB", 65_536],
    ["64MiB", 67_108_864],
    ["1GiB", 1_073_741_824],
  ])("%s is %d bytes", (text, value) => {
    expect(readSize(text)).toEqual({ ok: true, value });
  });

  test.each([
    ["64", "64 has no unit", "write a size as 512KiB, 64MiB or 1GiB"],
    ["64MB", "64MB is not a size", "write 64MiB"],
    ["64mb", "64mb is not a size", "write 64MiB"],
    ["64M", "64M is not a size", "write 64MiB"],
    ["64k", "64k is not a size", "write 64KiB"],
    ["lots", "lots is not a size", "write a size as 512KiB, 64MiB or 1GiB"],
  ])("%j is refused with the right spelling", (text, message, remedy) => {
    expect(readSize(text)).toEqual({ ok: false, message, remedy });
  });
});
