// Proves that the watcher sees what it must see, on small pages of its own.

import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { after, before, test } from "node:test";
import { closeBrowser, withPage } from "./browser.mjs";

const head = '<!doctype html><html lang="zh"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">';
const pages = {
  "/": `${head}<h1>客户</h1>`,
  "/script-error": `${head}<script src="/broken.js"></script>`,
  "/broken.js": "nowhere();",
  "/inline": `${head}<script>window.ran = true</script>`,
  "/other-machine": `${head}<img src="http://192.0.2.1/logo.png">`,
  "/missing-file": `${head}<script src="/missing.js"></script>`,
  "/wide": `${head}<div style="width: 900px">宽</div>`,
  "/form": `${head}<form method="post" action="/refused"><button>提交</button></form>`,
};

const server = http.createServer((request, response) => {
  const body = pages[request.url];
  response.setHeader("content-type", request.url.endsWith(".js") ? "text/javascript" : "text/html; charset=utf-8");
  const styles = request.url === "/wide" ? "; style-src 'unsafe-inline'" : "";
  response.setHeader("content-security-policy", `default-src 'self'; img-src * data:${styles}`);
  if (request.url === "/refused") response.statusCode = 422;
  else if (request.url === "/crash") response.statusCode = 500;
  else if (body === undefined) response.statusCode = 404;
  response.end(body ?? "<p>nothing here");
});
let url;
before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});
after(async () => {
  await closeBrowser();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const visit = (address) => withPage(url, async (page) => void (await page.goto(address, { waitUntil: "load" })));
const isReported = (pattern) => (error) => pattern.test(error.actual?.join("\n") ?? error.message);

test("a clean page passes", () => visit("/"));
test("a script error fails", () => assert.rejects(visit("/script-error"), isReported(/script error.*nowhere/)));
test("a violation of the policy fails", () => assert.rejects(visit("/inline"), isReported(/content security policy: script-src/)));
test("a request to another machine fails", async () => {
  const seen = withPage(url, async (page) => void (await page.goto("/other-machine", { waitUntil: "commit" }).then(() => page.waitForTimeout(300))));
  await assert.rejects(seen, isReported(/another machine: http:\/\/192\.0\.2\.1/));
});
test("a missing script fails", () => assert.rejects(visit("/missing-file"), isReported(/404 for script/)));
test("an answer of 500 fails", () => assert.rejects(visit("/crash"), isReported(/500 for document/)));
test("a refused form is no problem of the page", () =>
  withPage(url, async (page) => {
    await page.goto("/form");
    await page.getByRole("button").click();
    await page.waitForURL("**/refused");
  }));
test("a page that is missing is no problem by itself", () =>
  withPage(url, async (page) => {
    assert.equal((await page.goto("/nowhere")).status(), 404);
  }));

test("a failing test names the address and keeps screenshots", async () => {
  let message;
  await withPage(url, async (page) => {
    await page.goto("/");
    throw new Error("expected by the test");
  }).catch((error) => (message = error.message));
  assert.match(message, /expected by the test\nat http.*screenshots e2e\/out\/failed-/);
  const name = message.match(/out\/(failed-[0-9-]+)-\*/)[1];
  for (const size of ["1440x900", "390x844"]) {
    for (const scheme of ["light", "dark"]) rmSync(new URL(`../out/${name}-${size}-${scheme}.png`, import.meta.url));
  }
});

// Width and height stand in the first chunk of a PNG file.
const sizeOf = (file) => {
  const bytes = readFileSync(file);
  return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`;
};

test("screenshots are taken on both screens, light and dark, and the page is left as it was", () =>
  withPage(url, async (page, { shot }) => {
    await page.goto("/");
    const files = await shot("self-test");
    assert.deepEqual(files.map(sizeOf), ["1440x900", "1440x900", "390x844", "390x844"]);
    assert.deepEqual(page.viewportSize(), { width: 1440, height: 900 });
    for (const file of files) rmSync(file);
  }));

test("a page wider than the phone fails", async () => {
  const tooWide = withPage(url, async (page, { shot }) => {
    await page.goto("/wide");
    for (const file of await shot("self-test-wide")) rmSync(file);
  });
  await assert.rejects(tooWide, isReported(/pixels wide on a screen of 390/));
});

test("contexts share nothing", async () => {
  await withPage(url, (page) => page.goto("/").then(() => page.evaluate(() => (document.cookie = "seen=1"))));
  await withPage(url, async (page) => {
    await page.goto("/");
    assert.equal(await page.evaluate(() => document.cookie), "");
  });
});
