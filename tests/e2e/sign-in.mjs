// Signs in to the console of `floodgate serve`: node sign-in.mjs CHROMIUM PACKAGES ADDRESS TOKEN ID PICTURES.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [executablePath, packages, address, token, id, pictures] = process.argv.slice(2);
const require = createRequire(join(packages, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

for (const [name, width, colorScheme] of /** @type {const} */ ([["light", 1280, "light"], ["dark-narrow", 390, "dark"]])) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  await page.goto(`${address}/#/runs`);
  await page.waitForSelector("#token");
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), [], name);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${name} is too wide`);
  await page.screenshot({ path: join(pictures, `sign-in-${name}.png`), fullPage: true });

  await page.fill("#token", "this-is-nobodys-token-at-all");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForSelector("text=not valid here");
  await page.screenshot({ path: join(pictures, `sign-in-refused-${name}.png`), fullPage: true });
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
  await page.waitForSelector("main tbody tr");
  assert.equal(await page.locator("main tbody tr").count(), 1);
  assert.ok(!page.url().includes(token));

  // The browser opens the report by itself, without a header.
  await page.goto(`${address}/#/runs/e2e/${id}`);
  await page.waitForSelector("iframe.report");
  const report = await (await page.locator("iframe.report").elementHandle())?.contentFrame();
  assert.ok(report, "the report is not shown");
  await report.waitForSelector("h1");
  await page.screenshot({ path: join(pictures, `signed-in-${name}.png`) });

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForSelector("#token");
  assert.deepEqual((await context.cookies()).map((cookie) => cookie.name), []);
  await page.reload();
  await page.waitForSelector("#token");
  await context.close();
}
await browser.close();
