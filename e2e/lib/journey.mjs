// One browser test: a fresh server, a fresh browser context, and the certainty that both are gone afterwards.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { closeBrowser, withPage } from "./browser.mjs";
import { startServer } from "./server.mjs";

after(closeBrowser);

/**
 * Declares a journey.
 *
 * @param {string} title
 * @param {object} options those of startServer(), and `context` for the browser context
 * @param {(tools: {page: import("playwright-core").Page, server: object, shot: Function, problems: string[]})
 *   => Promise<void>} body
 */
export function journey(title, { context = {}, ...options }, body) {
  test(title, async () => {
    const server = await startServer(options);
    let outcome;
    try {
      await withPage(server.url, (page, tools) => body({ page, server, ...tools }), context);
    } catch (error) {
      error.message += `\n--- the server's log\n${server.log.slice(-5_000)}`;
      throw error;
    } finally {
      outcome = await server.stop();
    }
    assert.equal(outcome.code, 0, `the server did not end cleanly: ${JSON.stringify(outcome)}\n${server.log}`);
  });
}
