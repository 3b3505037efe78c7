// The console's files on a server of their own: node elsewhere.mjs CHROMIUM PACKAGES FOLDER PORT TOKEN ID PICTURES.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";

const [executablePath, packages, folder, port, token, id, pictures] = process.argv.slice(2);
const require = createRequire(join(packages, "package.json"));
const { chromium } = require("playwright-core");

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
/** As a bucket with a prefix has them. */
const AT = "/pages/";
const server = createServer(async (request, response) => {
  const path = new URL(request.url ?? "/", "http://x").pathname;
  try {
    if (!path.startsWith(AT)) throw new Error(path);
    const file = normalize(path.slice(AT.length)) || "index.html";
    const text = await readFile(join(folder, file === "." ? "index.html" : file));
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/html" }).end(text);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(Number(port), "127.0.0.1", () => resolve(undefined)));

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
const page = await context.newPage();
/** @type {string[]} */
const faults = [];
page.on("pageerror", (error) => faults.push(String(error)));
await page.goto(`http://127.0.0.1:${port}${AT}#/runs`);
await page.waitForSelector("#token");
await page.fill("#token", token);
await page.keyboard.press("Enter");
await page.waitForSelector("main tbody tr");
assert.equal(await page.locator("main tbody tr").count(), 1);
// No cookie goes to another server.
assert.deepEqual(await context.cookies(), []);

await page.goto(`http://127.0.0.1:${port}${AT}#/runs/e2e/${id}`);
await page.waitForSelector("iframe.report");
const report = await (await page.locator("iframe.report").elementHandle())?.contentFrame();
assert.ok(report, "the report is not shown");
await report.waitForSelector("h1");
await report.waitForSelector("canvas");
// It cannot act in the name of whoever looks at it.
assert.equal(await report.evaluate(() => self.origin), "null");
const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Save the report" }).click()]);
assert.equal(saved.suggestedFilename(), `${id}.html`);
await page.screenshot({ path: join(pictures, "elsewhere.png") });
assert.deepEqual(faults, []);

// The same server under a name that the API was not told of.
await page.goto(`http://localhost:${port}${AT}#/runs`);
await page.waitForSelector("text=does it allow pages of http://localhost");
await browser.close();
server.close();
