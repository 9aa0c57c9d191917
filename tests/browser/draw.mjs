// Draw on the page of examples/web with a real mouse: node draw.mjs REQUEST.json
// The request: {browser, page, modules, digits: {name: [stroke]}, results, screenshot}; a stroke is
// a list of points from 0 to 1. `results` gets what the page says of each drawing.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { FLAGS } from './flags.mjs';

const request = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' };

const server = http.createServer((asked, answer) => {
  const parts = decodeURIComponent(asked.url).slice(1).split('/');
  const root = parts[0] === 'node_modules' ? request.modules : request.page;
  const file = path.join(root, ...parts);
  if (!fs.existsSync(file)) {
    answer.writeHead(404).end();
    return;
  }
  answer.setHeader('content-type', TYPES[path.extname(file)] ?? 'application/octet-stream');
  fs.createReadStream(file).pipe(answer);
});
await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });

const browser = await chromium.launch({ executablePath: request.browser, args: FLAGS });
const complaints = [];
const said = {};
try {
  const page = await browser.newPage({ viewport: { width: 620, height: 470 } });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  await page.goto(`http://127.0.0.1:${server.address().port}/index.html`);
  await page.waitForSelector('button:enabled');
  const canvas = await page.locator('canvas').boundingBox();
  const at = ([x, y]) => [canvas.x + x * canvas.width, canvas.y + y * canvas.height];
  for (const [name, strokes] of Object.entries(request.digits)) {
    await page.click('button');
    for (const [first, ...rest] of strokes) {
      await page.mouse.move(...at(first));
      await page.mouse.down();
      for (const point of rest) await page.mouse.move(...at(point), { steps: 4 });
      await page.mouse.up();
    }
    said[name] = await page.locator('[role=status]').textContent();
    if (request.screenshot && name === '3') await page.screenshot({ path: request.screenshot });
  }
  await page.click('button');
  said.cleared = await page.locator('[role=status]').textContent();
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
}
fs.writeFileSync(request.results, JSON.stringify({ said, complaints }));
