#!/usr/bin/env node
// The program's first file: checks the Node it runs on, then loads the rest.
// INVARIANT (old Node reads this): no static import and no recent syntax here, or an old Node would answer
// with a stack trace instead of the sentence below.

const nodeMajorMin = 24;

/** Exit status of "cannot run"; the others are in exit-status.ts, which an old Node may not be able to read. */
const cannotRun = 2;

if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  process.stderr.write(
    `sallyport: this Node is ${process.versions.node}, sallyport needs ${nodeMajorMin} or newer; ` +
      "in a checkout `npx sallyport` uses the bundled one\n",
  );
  process.exitCode = cannotRun;
} else {
  void import("./command-line.ts").then((loaded) => loaded.runCommandLine(process.argv.slice(2)));
}
