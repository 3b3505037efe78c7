// Looks at pages in a browser: node look.mjs PACKAGES CHROMIUM PAGES PICTURES. Each page is one that `cargo test` has written.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as format from "../../../crates/report/src/html/assets/format.js";

const [packages, executablePath, pages, pictures] = process.argv.slice(2);
const require = createRequire(join(packages, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

/** Opens a page; what it says on its console, and every address that it asks for, is a fault. */
async function open(file, { width = 1280, height = 900, colorScheme = "light", script = true } = {}) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme, javaScriptEnabled: script, reducedMotion: "reduce" });
  const faults = [];
  page.on("console", (message) => faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => request.url().startsWith("file:") || faults.push(request.url()));
  await page.goto(`file://${join(pages, file)}`);
  if (script) await page.waitForSelector("html[data-ready]");
  return { page, faults };
}

/** @type {[string, () => Promise<void>][]} */
const tests = [];
const test = (name, run) => tests.push([name, run]);
const chart = (page, kind) => page.locator(`[data-chart="${kind}"]`);
const texts = (page, selector) => page.locator(selector).allTextContents();

/** The first and the last time in the table behind a chart. */
async function ends(page, kind) {
  const details = chart(page, kind).locator("details.values");
  await details.evaluate((element) => (element.open = false));
  await details.locator("summary").click();
  await details.locator("tbody tr").first().waitFor();
  const times = await details.locator("tbody td:first-child").allTextContents();
  return [times[0], times[times.length - 1]];
}

test("numbers are written as in Rust", async () => {
  for (const { value, digits, number, duration, rate, bytes, percent } of JSON.parse(readFileSync(join(pages, "numbers.json"), "utf8"))) {
    const said = [format.digits(value, 3), format.number(value, 6), format.duration(value, 3), format.rate(value), format.bytes(value), format.percent(value / 1e4)];
    assert.deepEqual(said, [digits, number, duration, rate, bytes, percent], String(value));
  }
});

for (const file of ["passed.html", "failed.html", "inconclusive.html", "hours.html", "day.html", "nothing.html", "hostile.html"]) {
  test(`${file} draws every chart, loads nothing and complains of nothing`, async () => {
    const { page, faults } = await open(file);
    const charts = await page.locator("[data-chart]").count();
    assert.equal(await page.locator("[data-chart] canvas").count(), charts);
    assert.ok(file === "nothing.html" ? charts === 0 : charts >= 12, `${charts} charts`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0);
    assert.ok(await page.locator("#zoom-out").isHidden(), "nothing is zoomed");
    assert.deepEqual(faults, []);
    await page.close();
  });
}

test("a chart is drawn: it has ink of its lines", async () => {
  const { page } = await open("passed.html");
  const inks = await chart(page, "response").locator("canvas").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200) seen.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
    return [...seen];
  });
  for (const ink of ["0,114,178", "213,94,0"]) assert.ok(inks.includes(ink), ink);
  await page.close();
});

test("zooming one chart zooms all, and back", async () => {
  const { page } = await open("passed.html");
  const over = chart(page, "response").locator(".u-over");
  assert.deepEqual(await ends(page, "cpu"), ["0:00", "3:19"]);
  await over.scrollIntoViewIfNeeded();
  const box = await over.boundingBox();
  // What is at the top may be below the list of sections.
  await page.mouse.move(box.x + box.width * 0.25, box.y + box.height - 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height - 40, { steps: 5 });
  await page.mouse.up();
  for (const kind of ["cpu", "requests", "name-times"]) {
    const [from, to] = await ends(page, kind);
    assert.ok(from >= "1:14" && from <= "1:17" && to >= "2:28" && to <= "2:32", `${kind}: ${from} to ${to}`);
  }
  await page.locator("#zoom-out").click();
  assert.deepEqual(await ends(page, "cpu"), ["0:00", "3:19"]);
  assert.ok(await page.locator("#zoom-out").isHidden());
  await page.close();
});

test("one cursor is on all charts", async () => {
  const { page } = await open("passed.html");
  const over = chart(page, "requests").locator(".u-over");
  await over.hover({ position: { x: 100, y: 50 } });
  const at = await chart(page, "requests").locator(".at").textContent();
  assert.match(at, /^\d:\d\d$/);
  assert.equal(await chart(page, "response").locator(".at").textContent(), at);
  assert.match(await chart(page, "requests").locator(".key b").first().textContent(), /\/s$/);
  await page.close();
});

test("charts obey the keyboard, and say where they are", async () => {
  const { page } = await open("passed.html");
  await chart(page, "service").locator(".plot").focus();
  await page.keyboard.press("Home");
  for (let n = 0; n < 3; n += 1) await page.keyboard.press("ArrowRight");
  assert.match(await page.locator("#said").textContent(), /^0:30: p50 \d/);
  await page.keyboard.press("+");
  assert.ok(await page.locator("#zoom-out").isVisible());
  await page.keyboard.press("0");
  assert.ok(await page.locator("#zoom-out").isHidden());
  const key = chart(page, "service").locator(".key").first();
  await key.focus();
  await page.keyboard.press("Space");
  assert.equal(await key.getAttribute("aria-pressed"), "false");
  await page.close();
});

test("everything that can be used is reached by the tab key", async () => {
  const { page } = await open("nothing.html");
  const seen = [];
  for (let n = 0; n < 6; n += 1) {
    await page.keyboard.press("Tab");
    seen.push(await page.evaluate(() => document.activeElement?.textContent?.trim().slice(0, 20)));
  }
  const [section] = await texts(page, "nav a");
  assert.deepEqual(seen.slice(0, 3), ["Skip to the content", "Colors: auto", section]);
  await page.close();
});

test("a table is sorted and filtered", async () => {
  const { page } = await open("day.html");
  const column = (n) => texts(page, `#requests table > tbody > tr:not([hidden]) > td:nth-child(${n})`);
  const heads = page.locator("#requests thead th");
  const whole = (await column(1)).filter((name) => !name.includes("more names"));
  await heads.nth(0).locator("button").click();
  assert.equal(await heads.nth(0).getAttribute("aria-sort"), "ascending");
  const names = async () => (await column(1)).filter((name) => !name.includes("more names"));
  assert.deepEqual(await names(), [...whole].sort());
  await heads.nth(0).locator("button").click();
  assert.equal(await heads.nth(0).getAttribute("aria-sort"), "descending");
  assert.deepEqual(await names(), [...whole].sort().reverse());
  await heads.nth(1).locator("button").press("Enter");
  assert.equal(await heads.nth(1).getAttribute("aria-sort"), "descending");
  assert.equal(await heads.nth(0).getAttribute("aria-sort"), null);
  await page.locator("#requests .filter input").fill("department/7/");
  assert.deepEqual(await column(1), ["GET /catalogue/department/7/items"]);
  assert.equal(await page.locator("#requests .filter [role=status]").textContent(), "1 of 51 rows");
  await page.close();
});

test("a name leads to its charts", async () => {
  const { page } = await open("passed.html");
  await page.getByRole("button", { name: "home" }).click();
  assert.equal(await page.locator(".choose select").inputValue(), "1");
  await page.locator(".choose select").selectOption({ label: "checkout" });
  assert.equal(await page.locator(".choose select").inputValue(), "0");
  await page.close();
});

test("dark is dark, by the system's choice and by the reader's", async () => {
  const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const { page } = await open("passed.html", { colorScheme: "dark" });
  assert.equal(await background(page), "rgb(17, 20, 26)");
  await page.locator("#theme").click();
  assert.equal(await background(page), "rgb(245, 246, 248)");
  await page.locator("#theme").click();
  assert.equal(await background(page), "rgb(17, 20, 26)");
  await page.close();
});

test("paper is light and has no controls", async () => {
  const { page } = await open("failed.html", { colorScheme: "dark" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  for (const what of ["nav", ".tools", ".filter", ".choose"]) assert.ok(await page.locator(what).first().isHidden(), what);
  const pdf = await page.pdf({ path: join(pictures, "failed.pdf"), format: "A4" });
  assert.ok(pdf.length > 50_000);
  await page.close();
});

test("a phone needs no scrolling to the side", async () => {
  for (const file of ["failed.html", "hostile.html", "day.html"]) {
    const { page, faults } = await open(file, { width: 390, height: 844 });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, file);
    assert.deepEqual(faults, []);
    await page.close();
  }
});

test("hostile names are text", async () => {
  const { page, faults } = await open("hostile.html");
  assert.ok(!(await page.title()).startsWith("pwned"));
  assert.equal(await page.locator("img").count(), 0);
  assert.equal(await page.locator("script").count(), 2);
  assert.ok((await page.locator("#requests").textContent()).includes("<img src=x onerror="));
  assert.ok((await texts(page, ".choose option"))[0].includes("</script>"));
  assert.deepEqual(faults, []);
  await page.close();
});

test("without a script there are the tables", async () => {
  const { page } = await open("failed.html", { script: false });
  assert.ok(await page.locator("#thresholds table").isVisible());
  assert.ok(await page.locator("noscript").count());
  await page.close();
});

for (const [file, colorScheme, width] of [["failed.html", "light", 1280], ["passed.html", "dark", 1280], ["day.html", "light", 390], ["hostile.html", "dark", 1280], ["nothing.html", "light", 1280]]) {
  test(`axe finds nothing in ${file}, ${colorScheme}, ${width} px`, async () => {
    const { page } = await open(file, { colorScheme, width });
    for (const summary of await page.locator("details > summary").all()) await summary.click();
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    const told = violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join("; ")}`);
    assert.deepEqual(told, []);
    await page.close();
  });
}

const PICTURES = [
  ["light", "passed.html", 1280, "light"], ["dark", "passed.html", 1280, "dark"], ["failed", "failed.html", 1440, "light"],
  ["narrow", "failed.html", 390, "light"], ["narrow-dark", "passed.html", 390, "dark"], ["wall", "day.html", 2560, "dark"],
  ["hostile", "hostile.html", 1280, "light"], ["nothing", "nothing.html", 1280, "light"],
];
test("pictures", async () => {
  for (const [name, file, width, colorScheme] of PICTURES) {
    const { page } = await open(file, { width, colorScheme });
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
    await page.close();
  }
});

let failed = 0;
for (const [name, run] of tests) {
  const began = Date.now();
  try {
    await run();
    console.log(`ok      ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.message}`);
  }
}
await browser.close();
console.log(`${tests.length - failed} of ${tests.length} passed`);
process.exitCode = failed ? 1 : 0;
