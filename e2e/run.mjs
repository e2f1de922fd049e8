// Runs the browser tests: `npm test`, or `node run.mjs journeys/setup.test.mjs` for some of them.
// The last lines count them (`# pass 3`), as TAP does.

import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const here = import.meta.dirname;

async function testsIn(folder) {
  const names = await readdir(path.join(here, folder));
  return names.filter((name) => name.endsWith(".test.mjs")).sort().map((name) => path.join(here, folder, name));
}

const given = process.argv.slice(2).map((name) => path.resolve(name));
const files = given.length > 0 ? given : [...(await testsIn("lib")), ...(await testsIn("journeys"))];

await rm(path.join(here, "out"), { recursive: true, force: true });
// Servers, browsers and reports put everything temporary here, so that an interrupted run leaves nothing either.
const work = await mkdtemp(path.join(tmpdir(), "kehu-e2e-"));
const tap = path.join(work, "tap");

const child = spawn(
  process.execPath,
  [
    "--test",
    "--test-concurrency=1",
    "--test-timeout=300000",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=tap",
    `--test-reporter-destination=${tap}`,
    ...files,
  ],
  { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, TMPDIR: work } },
);
// The tests get the same signal and clean up; this process only waits for them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));

const code = await new Promise((resolve) => child.on("exit", (status) => resolve(status ?? 1)));
const counts = (await readFile(tap, "utf8").catch(() => "")).match(/^# (pass|fail|cancelled|skipped|todo) \d+$/gm) ?? [];
await rm(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
console.log(counts.join("\n"));
process.exitCode = code;
