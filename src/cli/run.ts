// `run`: carries out a run order, tells the operator what became of the guest's requests, and how it ended.
// INVARIANT (standard output is the guest's): nothing of ours is written there but the results of -i.
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import type { RunResult } from "../index.ts";
import { openSandbox, SallyportError } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { exitStatus } from "./exit-status.ts";
import { faultInWords } from "./input-file.ts";
import type { Checked, Mistake } from "./mistake.ts";
import { bad, formatMistakes, good } from "./mistake.ts";
import { packageVersion } from "./package-version.ts";
import type { RequestLog } from "./request-log.ts";
import { openRequestLog } from "./request-log.ts";
import type { RunOrder } from "./run-options.ts";
import { readRunOrder } from "./run-options.ts";
import { standardError, standardInput, standardOutput } from "./standard-streams.ts";
import type { Telemetry } from "./telemetry.ts";
import { readTelemetrySettings } from "./telemetry-settings.ts";
import { paintFor, printable, writeError, writeOutput } from "./terminal.ts";

/** The guest's own exit status, or one of `exitStatus`. */
export async function runCommand(args: Arguments): Promise<number> {
  const read = await readRunOrder(args);
  const choice = readTelemetrySettings(process.env, args.value("otlp-endpoint"));
  if (!read.ok || !choice.ok) {
    return complain([...(read.ok ? [] : read.mistakes), ...(choice.ok ? [] : choice.mistakes)]);
  }
  const order = read.value;
  const report = await openReport(order.reportFile);
  if (!report.ok) return complain(report.mistakes);

  const { settings, warnings } = choice.value;
  for (const warning of warnings) await writeError(`sallyport: warning: ${warning}\n`);
  if (order.policy.allowsEverything) await writeError(allowAllWarning());
  const telemetry =
    settings === undefined
      ? undefined
      : (await import("./telemetry.ts")).openTelemetry(settings, packageVersion());

  const log = openRequestLog(order.policy, order.policySource, paintFor(process.stderr));
  let status = await runOrder(order, log, telemetry);
  await writeError(log.closing() ?? "");
  if (order.summary) await writeError(log.table());
  if (
    report.value !== undefined &&
    !(await writeReport(report.value, order.reportFile ?? "", log.report(status)))
  ) {
    // A script that reads the report must not take an old or empty one for the truth.
    if (status === exitStatus.good) status = exitStatus.cannotRun;
  }
  const lost = await telemetry?.close();
  if (lost !== undefined) await writeError(`sallyport: warning: ${lost}\n`);
  return status;
}

async function runOrder(order: RunOrder, log: RequestLog, telemetry: Telemetry | undefined): Promise<number> {
  const ending = openEnding();
  // Blocks are written as requests end, in that order, and never in the middle of one another.
  let written = Promise.resolve(true);
  try {
    await using sandbox = await openSandbox({
      warmGuests: 0,
      ca: order.ca,
      ...(order.auditDir === undefined ? {} : { audit: { dir: order.auditDir } }),
      ...(order.resolve === undefined ? {} : { resolve: order.resolve }),
      ...(telemetry === undefined ? {} : { tracerProvider: telemetry.tracerProvider }),
    });
    const result = await sandbox.run(order.wasm, {
      guest: order.guest,
      policy: order.policy,
      args: order.args,
      env: order.env,
      name: basename(order.moduleFile),
      stdin: standardInput(),
      stdout: standardOutput(() => ending.end(exitStatus.outputClosed)),
      stderr: standardError(),
      signal: ending.signal,
      onRequest: (summary) => {
        const block = log.add(summary);
        if (block !== undefined) written = written.then(() => writeError(block));
      },
      ...(order.invoke === undefined ? {} : { invoke: order.invoke }),
      ...(order.timeoutMs === undefined ? {} : { timeoutMs: order.timeoutMs }),
      ...(order.memoryBytesMax === undefined ? {} : { memoryBytesMax: order.memoryBytesMax }),
      ...(order.concurrent === undefined ? {} : { concurrent: order.concurrent }),
      ...(telemetry === undefined ? {} : { parentContext: telemetry.parentContext }),
    });
    await written;
    return await tellEnd(result, order, ending.status());
  } catch (fault) {
    if (!(fault instanceof SallyportError)) throw fault;
    await written;
    return complain([mistakeOf(fault, order)]);
  } finally {
    ending.dispose();
  }
}

async function tellEnd(result: RunResult, order: RunOrder, ended: number | undefined): Promise<number> {
  switch (result.kind) {
    case "exited":
      await writeOutput(result.results.map((line) => `${line}\n`).join(""));
      // A shell sees eight bits: 256 must not become success.
      return Math.min(result.code, 255);
    case "trapped":
      await writeError(`sallyport: guest trapped: ${printable(result.message)}\n`);
      return exitStatus.trap;
    case "deadline": {
      const after = order.timeoutMs === undefined ? "5 minutes" : `${order.timeoutMs / 1_000} s`;
      await writeError(`sallyport: the guest was ended by its deadline after ${after}; --timeout sets it\n`);
      return exitStatus.deadline;
    }
    case "aborted":
      return ended ?? exitStatus.interrupted;
  }
}

/** What can end a run from outside, and the exit status that goes with it. */
interface Ending {
  readonly signal: AbortSignal;
  end(status: number): void;
  status(): number | undefined;
  dispose(): void;
}

function openEnding(): Ending {
  const controller = new AbortController();
  let status: number | undefined;
  const end = (next: number): void => {
    status ??= next;
    controller.abort();
  };
  const onSignal = (next: number) => (): void => {
    // The second one is from somebody who does not want to wait for records and spans.
    if (status !== undefined) process.exit(next);
    end(next);
  };
  const onInterrupt = onSignal(exitStatus.interrupted);
  const onTerminate = onSignal(exitStatus.terminated);
  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
  return {
    signal: controller.signal,
    end,
    status: () => status,
    dispose() {
      process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
    },
  };
}

// The library names its own options; a user of the command line knows them by their flags.
function mistakeOf({ code, message }: SallyportError, order: RunOrder): Mistake {
  const [first = "", ...rest] = message.split("\n").map((line) => line.trim());
  const remedy = rest.join(" ");
  if (code === "audit_unavailable") {
    const words = first.replace(/\bE[A-Z]+$/, (name) => faultInWords({ code: name }));
    return {
      message: printable(`--audit ${words}`),
      remedy: "write --audit with a folder that can be written",
    };
  }
  const where = code === "module_invalid" ? `${order.moduleFile}: ` : /^guest: /.test(first) ? "--" : "";
  return {
    message: printable(`${where}${first}`),
    ...(remedy === "" ? {} : { remedy: printable(remedy) }),
  };
}

function allowAllWarning(): string {
  return (
    "sallyport: warning: insecure:allow-all lets the guest reach every destination and every address, " +
    "this machine's own services and cloud metadata included\n"
  );
}

// Opened before the run: a path that cannot be written is told before anything happened.
async function openReport(file: string | undefined): Promise<Checked<FileHandle | undefined>> {
  if (file === undefined) return good(undefined);
  try {
    return good(await open(file, "w"));
  } catch (fault) {
    return bad(`--report ${printable(file)} cannot be written: ${faultInWords(fault)}`, "check the path");
  }
}

async function writeReport(handle: FileHandle, file: string, text: string): Promise<boolean> {
  try {
    await handle.writeFile(text);
    await handle.close();
    return true;
  } catch (fault) {
    await writeError(`sallyport: --report ${printable(file)} could not be written: ${faultInWords(fault)}\n`);
    return false;
  }
}

async function complain(mistakes: readonly Mistake[]): Promise<number> {
  await writeError(formatMistakes(mistakes));
  return exitStatus.cannotRun;
}
