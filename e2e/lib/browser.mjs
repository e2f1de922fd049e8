// Drives Chromium. Every page is watched: script errors, console errors, violations of the content security policy,
// answers with 5xx, missing files and requests to other machines end up in `problems`, and withPage() then fails.

import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

const outFolder = path.resolve(import.meta.dirname, "../out");
const flags = [
  "--no-sandbox", // Chromium's sandbox refuses to run as root, and all pages are our own
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The two screens every page is made for. */
export const screens = {
  desktop: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
};

function executablePath() {
  const found = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find((p) => p && existsSync(p));
  if (!found) throw new Error("Chromium was not found: install it (Debian: chromium), or name it in CHROMIUM");
  return found;
}

let launched;
/** The browser of this test file, started at first use. */
export function browser() {
  launched ??= chromium.launch({ executablePath: executablePath(), headless: true, args: flags });
  return launched;
}

/** Closes the browser of this test file; call it in `after()`. */
export async function closeBrowser() {
  const closing = launched;
  launched = undefined;
  await (await closing)?.close();
}

// Chromium's own line for any answer of 400 and above; those that matter are found by watching the answers.
const statusLine = /^Failed to load resource: the server responded with a status of/;

function watch(page, origin, problems) {
  page.on("pageerror", (error) => problems.push(`script error: ${error.stack ?? error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !statusLine.test(message.text())) {
      problems.push(`console: ${message.text()} (${message.location().url})`);
    }
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (/^(https?|wss?):$/.test(url.protocol) && url.host !== origin.host) {
      problems.push(`request to another machine: ${request.url()}`);
    }
  });
  page.on("response", (response) => {
    const kind = response.request().resourceType();
    const isFile = ["script", "stylesheet", "image", "font", "manifest"].includes(kind);
    if (response.status() >= 500 || (isFile && response.status() >= 400)) {
      problems.push(`${response.status()} for ${kind} ${response.url()}`);
    }
  });
}

// Runs in the page before its own scripts.
function reportViolations() {
  document.addEventListener("securitypolicyviolation", (event) => {
    console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`);
  });
}

/**
 * Takes `out/NAME-1440x900-light.png` and its three sisters (phone, dark) of the whole page, and leaves the page as it
 * was. A page wider than the phone is a problem: nobody scrolls sideways.
 */
async function shot(page, problems, name) {
  assert.match(name, /^[a-z0-9-]+$/, "names of screenshots are lower-case words with hyphens");
  mkdirSync(outFolder, { recursive: true });
  const before = page.viewportSize();
  const files = [];
  for (const size of Object.values(screens)) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(() => document.fonts.ready.then(() => undefined));
      const file = path.join(outFolder, `${name}-${size.width}x${size.height}-${colorScheme}.png`);
      await page.screenshot({ path: file, animations: "disabled" });
      files.push(file);
    }
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > size.width) problems.push(`${name} is ${width} pixels wide on a screen of ${size.width}`);
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: "light" });
  return files;
}

/**
 * Opens a page in a context of its own, hands it to `body` and fails afterwards when anything went wrong in it.
 *
 * @param {string} url the server's address; relative addresses in `page.goto` start there, others are a problem
 * @param {(page: import("playwright-core").Page, tools: {shot: (name: string) => Promise<string[]>,
 *   problems: string[]}) => Promise<void>} body `problems` may be read, and emptied when they were provoked
 * @param {import("playwright-core").BrowserContextOptions} [options] such as `viewport` or `colorScheme`
 */
export async function withPage(url, body, options = {}) {
  const context = await (await browser()).newContext({
    baseURL: url,
    viewport: screens.desktop,
    colorScheme: "light",
    locale: "zh-CN",
    timezoneId: "Asia/Shanghai",
    ...options,
  });
  context.setDefaultTimeout(15_000);
  const problems = [];
  try {
    await context.addInitScript(reportViolations);
    context.on("page", (page) => watch(page, new URL(url), problems));
    const page = await context.newPage();
    try {
      await body(page, { shot: (name) => shot(page, problems, name), problems });
    } catch (error) {
      const name = `failed-${process.pid}-${Date.now()}`;
      await shot(page, [], name).catch(() => {});
      error.message += `\nat ${page.url()}, screenshots e2e/out/${name}-*.png\n${problems.join("\n")}`;
      throw error;
    }
    assert.deepEqual(problems, [], "the page reported problems");
  } finally {
    await context.close();
  }
}
