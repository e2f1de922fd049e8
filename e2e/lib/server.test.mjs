// Proves the starting and stopping of servers, with a small program that keeps kehu's command-line contract.

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { administrator, freePort, runKehu, startServer } from "./server.mjs";

const folder = mkdtempSync(path.join(tmpdir(), "kehu-e2e-self-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function program(name, body) {
  const file = path.join(folder, name);
  writeFileSync(file, `#!${process.execPath}\n${body}`);
  chmodSync(file, 0o755);
  return file;
}

const stub = program(
  "stub.cjs",
  `
const fs = require("node:fs"), http = require("node:http"), path = require("node:path");
const args = process.argv.slice(2);
const option = (name) => args[args.indexOf(name) + 1];
const company = path.join(option("--data"), "company");
if (args[0] === "setup") {
  fs.writeFileSync(company, [option("--company"), option("--admin"), fs.readFileSync(0, "utf8")].join("|"));
} else if (args[0] === "serve") {
  const [host, port] = option("--listen").split(":");
  console.log("started with", JSON.stringify(Object.keys(process.env).filter((name) => name.startsWith("KEHU_"))));
  let calls = 0;
  const server = http.createServer((request, response) => {
    calls += 1;
    response.statusCode = calls < 3 ? 503 : 200;
    response.end(fs.existsSync(company) ? fs.readFileSync(company) : "empty");
  });
  server.listen(Number(port), host);
  process.on("SIGTERM", () => process.exit(0));
} else {
  console.error("unknown command");
  process.exit(2);
}
`,
);

test("a server starts on a fresh folder, waits for readiness, and leaves nothing behind", async () => {
  const server = await startServer({ binary: stub });
  assert.equal(await (await fetch(server.url)).text(), "empty");
  assert.ok(existsSync(server.dataDir));
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  assert.ok(!existsSync(server.dataDir));
  await assert.rejects(fetch(server.url));
});

test("set-up runs before the server and gets the password on standard input", async () => {
  const server = await startServer({ binary: stub, setup: true });
  const { company, username, password } = administrator;
  assert.equal(await (await fetch(server.url)).text(), `${company}|${username}|${password}\n`);
  await server.stop();
});

test("a folder of the caller is used and kept", async () => {
  const dataDir = mkdtempSync(path.join(folder, "kept-"));
  const server = await startServer({ binary: stub, dataDir });
  await server.stop();
  assert.ok(existsSync(dataDir));
});

test("settings of the surroundings do not reach the server, those of the test do", async () => {
  process.env.KEHU_LISTEN = "0.0.0.0:1";
  const server = await startServer({ binary: stub, env: { KEHU_LOG: "debug" } });
  delete process.env.KEHU_LISTEN;
  await server.stop();
  assert.match(server.log, /started with \["KEHU_LOG"\]/);
});

test("a program that ends at once is reported with its output", async () => {
  const broken = program("broken.cjs", `console.error("数据目录不可写"); process.exit(5);`);
  await assert.rejects(startServer({ binary: broken }), /code 5[^]*数据目录不可写/);
});

test("a taken port is answered by trying another", async () => {
  const counter = path.join(folder, "attempts");
  const unlucky = program(
    "unlucky.cjs",
    `
const fs = require("node:fs");
fs.appendFileSync(${JSON.stringify(counter)}, "x");
if (fs.readFileSync(${JSON.stringify(counter)}, "utf8").length < 3) {
  console.error("Address already in use");
  process.exit(5);
}
require(${JSON.stringify(stub)});
`,
  );
  const server = await startServer({ binary: unlucky });
  assert.equal((await server.stop()).code, 0);
});

test("a refused command carries its exit code and message", () => {
  assert.throws(() => runKehu(["nonsense", "--data", folder], { binary: stub }), /ended with 2[^]*unknown command/);
});

test("a free port can be listened on", async () => {
  const port = await freePort();
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  await new Promise((resolve) => server.close(resolve));
});
