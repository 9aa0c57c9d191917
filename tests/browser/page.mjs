// Open local pages in one Chromium: node page.mjs REQUEST.json
// The request: {browser, pages: [{file, width, scheme, picture}]}. Prints a JSON array with, for each
// page, the tables that are wider than their place; `picture` names a PNG of the whole page, if any.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { FLAGS } from './flags.mjs';

/** Opens what folds away a table with `word` in its title. */
const unfold = (page, word) => page.evaluate((title) => {
  const folded = [...document.querySelectorAll('details')];
  folded.filter(({ firstChild }) => firstChild.textContent.includes(title)).forEach((d) => { d.open = true; });
}, word);

const request = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const browser = await chromium.launch({ executablePath: request.browser, args: FLAGS });
const found = [];
for (const { file, width, scheme, picture } of request.pages) {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: scheme });
  await page.goto(pathToFileURL(file).href);
  await unfold(page, 'variable');
  if (picture) await page.screenshot({ path: picture, fullPage: true });
  await unfold(page, '');
  found.push(await page.evaluate(() => [...document.querySelectorAll('body, .wide')]
    .filter((place) => place.scrollWidth > place.clientWidth)
    .map((place) => place.innerText.slice(0, 80))));
  await page.close();
}
await browser.close();
console.log(JSON.stringify(found));
