// Every hostile guest, one by one: each ends as it must, leaves nothing open, and the next guest runs as if it had
// not been there.
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { type GuestEnd, type GuestPool, openGuestPool } from "../../src/guest/pool.ts";
import { type PreparedModule, prepareModule } from "../../src/guest/prepare-module.ts";
import { eventually, orderOf, prepared, runOn } from "../support/guest-run.ts";
import {
  compileHostile,
  type HostileExpectation,
  hostileConcurrent,
  hostileDeadlineMs,
  hostileMemoryBytesMax,
  hostilePrograms,
  hostileTimeoutMs,
} from "../support/hostile-programs.ts";
import { openScriptedGate, type ScriptedGate } from "../support/scripted-gate.ts";

let pool: GuestPool;
let honest: PreparedModule;

beforeAll(async () => {
  pool = openGuestPool({ warm: 1, clock: systemClock });
  honest = await prepared(await compileHostile("large-body.wat"));
});

afterAll(async () => {
  await pool.close();
  expect(pool.threads).toBe(0);
});

async function endOf(file: string, gate: ScriptedGate, timeoutMs: number): Promise<GuestEnd> {
  const found = await prepareModule(await compileHostile(file), { memoryBytesMax: hostileMemoryBytesMax });
  if (!found.ok) return { kind: "rejected", problem: found.error };
  return pool.run(orderOf({ module: found.value, gate, timeoutMs }));
}

function expectEnd(end: GuestEnd, expectation: HostileExpectation): void {
  if (expectation.kind === "exited") expect(end).toMatchObject(expectation);
  else if (expectation.kind === "deadline") expect(end).toEqual({ kind: "deadline" });
  else if (expectation.kind === "trapped") {
    expect(end).toEqual({ kind: "trapped", message: expect.stringMatching(expectation.message) });
  } else {
    expect(end).toMatchObject({ problem: { message: expect.stringMatching(expectation.message) } });
  }
}

describe("hostile guests", () => {
  test("each program in the folder is in the list, and each in the list is in the folder", async () => {
    const files = await readdir(`${import.meta.dirname}/programs/hostile`);
    expect(hostilePrograms.map(({ file }) => file).toSorted()).toEqual(files.toSorted());
  });

  test.each(hostilePrograms)("$file ends as it must: $expectation.kind", async (program) => {
    const gate = openScriptedGate({ concurrent: hostileConcurrent });
    const timeoutMs = program.expectation.kind === "deadline" ? hostileDeadlineMs : hostileTimeoutMs;
    const end = await endOf(program.file, gate, timeoutMs);
    expectEnd(end, program.expectation);
    if (program.passed !== undefined) expect(gate.passed.length).toBe(program.passed);
    // Nothing is left of it: not a response, not a guest.
    expect(gate.open).toBe(0);
    expect(gate.openMost).toBeLessThanOrEqual(hostileConcurrent);
    expect(pool.running).toBe(0);
    expect((await runOn(pool, { module: honest, gate: openScriptedGate() })).end).toMatchObject({ code: 0 });
    await eventually("its thread is gone", () => pool.threads === pool.idle);
  });
});
