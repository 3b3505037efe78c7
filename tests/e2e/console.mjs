// Looks at the console in a browser: node console.mjs CHROMIUM PACKAGES ADDRESS IDS PICTURES. Five runs have ended there, and one goes on.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [executablePath, packages, address, ids, pictures] = process.argv.slice(2);
const require = createRequire(join(packages, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const own = new URL(address).origin;
const [first, second] = ids.split(",");

/** Opens a place of the console. What it complains of, and what it asks elsewhere for, is a fault. */
async function open(place, { width = 1280, height = 900, colorScheme = "light" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => request.url().startsWith(own) || request.url().startsWith("data:") || faults.push(request.url()));
  await page.goto(`${address}${place}`);
  await page.waitForSelector("main h1");
  return { page, faults, context };
}

/** What axe finds, and whether the page is wider than its window. */
async function check({ page, faults }, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { iframes: false }));
  assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), [], name);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${name} is too wide`);
  assert.deepEqual(faults, [], name);
  await page.screenshot({ path: join(pictures, `console-${name}.png`), fullPage: true });
}

const rows = (page) => page.locator("main tbody tr");

/** @type {[string, () => Promise<void>][]} */
const tests = [
  ["the token leaves the address, and nobody is let in without it", async () => {
    const { page, context } = await open("#/runs");
    assert.equal(page.url(), `${own}/#/runs`);
    const stranger = await (await browser.newContext()).newPage();
    assert.equal((await stranger.goto(`${own}/`)).status(), 401);
    await context.close();
  }],
  ["runs are listed, filtered by what stands in the address, and chosen to be compared", async () => {
    const opened = await open("#/runs");
    const { page } = opened;
    assert.equal(await rows(page).count(), 6);
    await check(opened, "runs");
    await page.selectOption("select[name=status]", "failed");
    await page.waitForFunction(() => document.querySelectorAll("main tbody tr").length === 1);
    assert.match(page.url(), /status=failed/);
    await page.goBack();
    await page.waitForFunction(() => document.querySelectorAll("main tbody tr").length === 6);
    for (const id of [first, second]) await page.locator("tr", { hasText: id }).locator("input").check();
    await page.getByText("Compare 2 runs").click();
    await page.waitForSelector("text=Side by side");
    assert.ok(page.url().includes(`${first}%2C${second}`), page.url());
    const answer = await page.evaluate((url) => fetch(url).then((r) => r.json()), `${own}/v1/projects/e2e/comparisons?executions=${first},${second}`);
    const told = answer[1].comparison?.gates.filter((gate) => gate.ratio) ?? [];
    assert.equal(await page.locator("svg.interval").count(), told.length);
    await check(opened, "compare");
  }],
  ["intervals are drawn on a scale that all of them share", async () => {
    const { page } = await open("#/runs");
    const drawn = await page.evaluate(async (url) => {
      const { intervals } = await import(url);
      const ratios = [{ low: 1.02, estimate: 1.05, high: 1.1 }, { low: 0.5, estimate: 1, high: 2 }, { low: 0, estimate: 0.1, high: Infinity }];
      const draw = intervals(ratios, 0.05);
      return ratios.map((ratio) => {
        const svg = draw(ratio);
        const x = (of, name) => Number(svg.querySelector(of).getAttribute(name));
        return { zero: x(".zero", "x1"), from: x(".span", "x1"), to: x(".span", "x2"), ends: svg.querySelectorAll(".end").length };
      });
    }, `${own}/console/interval.js`);
    const [slower, wide, unbounded] = drawn;
    assert.ok(slower.zero < slower.from && slower.from < slower.to, JSON.stringify(drawn));
    assert.ok(Math.abs(wide.zero - wide.from - (wide.to - wide.zero)) < 1e-9, "half as much is as far from no change as twice as much");
    assert.deepEqual([unbounded.from, unbounded.to, unbounded.ends, wide.ends], [0, 100, 0, 2]);
  }],
  ["a report stands in the console and can't ask in the reader's name", async () => {
    const opened = await open(`#/runs/e2e/${first}`);
    const frame = opened.page.frameLocator("iframe");
    await frame.locator("h1").waitFor();
    assert.match(await frame.locator("body").innerText(), /<script>document\.title/);
    assert.notEqual(await opened.page.title(), "hit");
    const inside = opened.page.frames().find((f) => f !== opened.page.mainFrame());
    const asked = await inside.evaluate((url) => fetch(url).then((r) => r.status, () => "refused"), `${own}/v1/executions`);
    assert.notEqual(asked, 200);
    await opened.page.screenshot({ path: join(pictures, "console-report.png") });
  }],
  ["the numbers of a test are drawn over its runs, dark too", async () => {
    const tests = await open("#/tests");
    await check(tests, "tests");
    const href = await tests.page.locator("tbody a").first().getAttribute("href");
    const opened = await open(href, { colorScheme: "dark" });
    await opened.page.waitForSelector("main canvas");
    assert.equal(await opened.page.locator("main canvas").count(), 5);
    await check(opened, "trend-dark");
    await opened.page.getByRole("link", { name: "Versions" }).click();
    await opened.page.waitForSelector(".diff .added");
    assert.match(await opened.page.locator(".diff .added").first().innerText(), /"duration": "60s"/);
    await check(opened, "versions");
  }],
  ["numbers of one's own choice are followed, and a wrong one is told", async () => {
    const { page } = await open("#/tests/e2e/arrivals");
    await page.getByText("Other numbers").click();
    await page.fill("textarea", "http_reqs count");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForSelector("h3:text-is('http_reqs count')");
    await page.getByText("Other numbers").click();
    await page.fill("textarea", "nonsense");
    await page.getByRole("button", { name: "Show" }).click();
    assert.match(await page.locator("[role=alert]").innerText(), /aggregate/);
  }],
  ["who did what is listed", async () => {
    const opened = await open("#/audit");
    assert.ok(await rows(opened.page).count() >= 10);
    await check(opened, "audit");
  }],
  ["a long trail is shown in parts", async () => {
    const opened = await open("#/audit");
    const { page } = opened;
    const entries = await page.evaluate(async () => {
      const { BASE } = await import("/console/session.js");
      const headers = { "content-type": "application/json" };
      for (let n = 1; n <= 60; n += 1) {
        const set = await fetch(`${BASE}/projects/e2e/budget`, { method: "PUT", headers, body: JSON.stringify({ a_month: { usd: 1e6 + n } }) });
        if (!set.ok) throw new Error(await set.text());
      }
      return (await (await fetch(`${BASE}/projects/e2e/audit`)).json()).length;
    });
    await page.reload();
    const older = page.getByRole("button", { name: "Older entries" });
    await older.waitFor();
    assert.equal(await rows(page).count(), 50);
    for (let shown = 50; shown < entries; shown += 50) {
      await older.click();
      await page.waitForFunction((most) => document.querySelectorAll("tbody tr").length === most, Math.min(shown + 50, entries));
    }
    assert.ok(await older.isHidden());
    await check(opened, "audit-long");
  }],
  ["it fits a telephone and is walked through by keyboard", async () => {
    const opened = await open("#/runs", { width: 390, height: 844, colorScheme: "dark" });
    await check(opened, "narrow");
    await opened.page.keyboard.press("Tab");
    assert.equal(await opened.page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    for (let n = 0; n < 3; n += 1) await opened.page.keyboard.press("Tab");
    await opened.page.keyboard.press("Enter");
    await opened.page.waitForSelector("h1:text-is('Tests')");
  }],
  ["the content is skipped to", async () => {
    const { page } = await open("#/audit");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    assert.equal(await page.locator("h1").innerText(), "Audit");
    assert.match(page.url(), /#\/audit$/);
  }],
  ["a place that isn't there is told", async () => {
    const { page } = await open("#/runs").then(async (opened) => (await opened.page.goto(`${own}/#/nowhere`), opened));
    assert.match(await page.locator("[role=alert]").innerText(), /no page \/nowhere/);
  }],
  ["a run that goes on is drawn each second, and stopped by who confirms it", async () => {
    const opened = await open("#/runs?status=running");
    const { page } = opened;
    await page.locator("tbody td a").nth(1).click();
    await page.waitForSelector("main canvas");
    const sent = async () => Number((await page.locator(".tile", { hasText: "requests" }).locator("dd.dim").innerText()).replace(/\D/g, ""));
    const before = await sent();
    assert.ok(before > 0);
    await page.waitForFunction((n) => Number([...document.querySelectorAll(".tile")].find((t) => t.textContent.startsWith("requests")).textContent.replace(/.*\/s|\D/g, "")) > n, before);
    assert.match(await page.locator("main").innerText(), /2 running/);
    await check(opened, "live");
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("button", { name: "Let it run" }).click();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("button", { name: "Stop the run" }).click();
    await page.waitForSelector(".status:text('aborted')", { timeout: 60_000 });
  }],
];

let failed = 0;
for (const [name, run] of tests) {
  try {
    await run();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stack}`);
  }
}
await browser.close();
process.exit(failed > 0 ? 1 : 0);
