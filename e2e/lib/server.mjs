// Starts the kehu program for a test: a real server with its own empty data folder on a free port.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const repository = path.resolve(import.meta.dirname, "../..");
const startLimitMs = 60_000;
const stopLimitMs = 15_000;

/** The company and administrator that `startServer({ setup: true })` creates. */
export const administrator = {
  company: "广州天江物业有限公司",
  name: "张三",
  username: "admin",
  password: "Kehu-2026-e2e",
};

/** The program under test: KEHU_BIN, or the debug build of this repository. */
export function kehuBinary() {
  const binary =
    process.env.KEHU_BIN ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(repository, "target"), "debug/kehu");
  if (!existsSync(binary)) throw new Error(`${binary} does not exist; build it with: cargo build -p kehu`);
  return binary;
}

// Settings of the person running the tests must not reach the server under test.
function cleanEnvironment(extra) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("KEHU_"));
  return { ...Object.fromEntries(kept), ...extra };
}

/** A port nobody listens on at this moment. */
export async function freePort() {
  const probe = net.createServer();
  await new Promise((resolve, reject) => probe.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Runs `kehu ARGS…` to its end and returns what it printed; throws when it ends with another code than 0. */
export function runKehu(args, { input = "", env = {}, binary = kehuBinary() } = {}) {
  const result = spawnSync(binary, args, { input, env: cleanEnvironment(env), encoding: "utf8", timeout: 120_000 });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`kehu ${args.join(" ")} ended with ${result.status}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

// Whatever ends this process, no server and no data folder may stay behind.
const running = new Set();
function removeAll() {
  for (const server of running) {
    server.child?.kill("SIGKILL");
    if (server.ownsData) rmSync(server.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
  running.clear();
}
process.on("exit", removeAll);
for (const [signal, number] of [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]]) {
  process.once(signal, () => process.exit(128 + number));
}

class Server {
  constructor({ dataDir, args, env, binary }) {
    this.ownsData = dataDir === undefined;
    this.dataDir = dataDir ?? mkdtempSync(path.join(tmpdir(), "kehu-e2e-"));
    this.args = args;
    this.env = env;
    this.binary = binary;
    this.log = "";
    running.add(this);
  }

  /** Runs another command of the program on this server's data. */
  kehu(args, options = {}) {
    return runKehu([...args, "--data", this.dataDir], { env: this.env, binary: this.binary, ...options });
  }

  async listen() {
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    const child = spawn(
      this.binary,
      ["serve", "--data", this.dataDir, "--listen", `127.0.0.1:${port}`, ...this.args],
      { env: cleanEnvironment(this.env), stdio: ["ignore", "pipe", "pipe"] },
    );
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve({ error }));
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.log = (this.log + text).slice(-200_000);
      });
    }
    return this.untilReady();
  }

  // Answers true once /readyz does, false when the program ended before.
  async untilReady() {
    let ended = false;
    this.ended.then(() => (ended = true));
    const deadline = Date.now() + startLimitMs;
    while (!ended && Date.now() < deadline) {
      const ready = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
        async (response) => (await response.text(), response.ok),
        () => false,
      );
      // Another program may have taken the port meanwhile and answer in our place.
      if (ready && !ended) return true;
      await sleep(30);
    }
    if (!ended) this.child.kill("SIGKILL");
    return false;
  }

  /** Ends the server as a service manager would and deletes its data, unless the caller brought the folder. */
  async stop() {
    running.delete(this);
    const { child } = this;
    let outcome;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
      outcome = await this.ended;
      clearTimeout(timer);
    } else {
      outcome = await this.ended;
    }
    if (this.ownsData) rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
    return outcome;
  }
}

/**
 * Starts `kehu serve` and waits until it is ready.
 *
 * @param {object} [options]
 * @param {boolean} [options.setup] create the company and administrator of `administrator` first; without it the
 *   server starts with an empty database
 * @param {string} [options.dataDir] an existing data folder, which is kept; without it a fresh one, deleted by stop()
 * @param {string[]} [options.args] further arguments of `kehu serve`
 * @param {Record<string, string>} [options.env] further environment; no KEHU_ variable is inherited
 */
export async function startServer({ setup = false, dataDir, args = [], env = {}, binary = kehuBinary() } = {}) {
  const server = new Server({ dataDir, args, env, binary });
  try {
    if (setup) {
      const { company, username, password } = administrator;
      server.kehu(["setup", "--company", company, "--admin", username, "--password-stdin"], { input: `${password}\n` });
    }
    // The port was free when it was looked up, but another process can be quicker.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (await server.listen()) return server;
      if (!/in use|占用/i.test(server.log)) break;
    }
    const outcome = await server.ended;
    const reason = outcome.error?.message ?? `code ${outcome.code}, signal ${outcome.signal}`;
    throw new Error(`kehu serve did not become ready (${reason})\n${server.log}`);
  } catch (error) {
    running.delete(server);
    server.child?.kill("SIGKILL");
    if (server.ownsData) rmSync(server.dataDir, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}
