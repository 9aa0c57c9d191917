// Run graph models in one Chromium: node run.mjs REQUEST.json
// The request: {browser, cases: [{folder, backend, inputs: {name: {dtype, shape, data}}, outputs}],
// results}; `data` is base64 of the little-endian values, `texts` in its place a list of strings. `results` gets one
// {outputs: [{dtype, shape, data}]} or {error} per case.
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { FLAGS } from './flags.mjs';

const PACKAGES = ['core', 'converter', 'backend-cpu', 'backend-wasm', 'backend-webgl'];

const request = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const resolve = createRequire(import.meta.url).resolve;
const dist = Object.fromEntries(PACKAGES.map((name) => [
  name, path.join(path.dirname(resolve(`@tensorflow/tfjs-${name}/package.json`)), 'dist'),
]));

const scripts = PACKAGES.map((name) => `<script src="/${name}/tf-${name}.min.js"></script>`);
const page = `<!doctype html><meta charset="utf-8">${scripts.join('')}`;

/** The file behind a URL: of a package, or of one case's folder. */
function located(url) {
  const [first, ...rest] = decodeURIComponent(url).slice(1).split('/');
  const folder = dist[first] ?? request.cases[Number(first)]?.folder;
  return folder && path.join(folder, ...rest);
}

const server = http.createServer((asked, answer) => {
  if (asked.url === '/') {
    answer.setHeader('content-type', 'text/html').end(page);
    return;
  }
  const file = located(asked.url);
  if (!file || !fs.existsSync(file)) {
    answer.writeHead(404).end();
    return;
  }
  const type = { '.wasm': 'application/wasm', '.js': 'text/javascript', '.json': 'application/json' };
  answer.setHeader('content-type', type[path.extname(file)] ?? 'application/octet-stream');
  fs.createReadStream(file).pipe(answer);
});

/** In the page: load one model and call it once. */
async function call({ number, backend, inputs, outputs }) {
  const kinds = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  tf.wasm.setWasmPaths('/backend-wasm/');
  if (!await tf.setBackend(backend)) throw new Error(`there is no backend ${backend}`);
  const model = await tf.loadGraphModel(`/${number}/model.json`);
  const fed = Object.fromEntries(Object.entries(inputs).map(([name, { dtype, shape, data, texts }]) =>
    [name, tf.tensor(texts ?? new kinds[dtype](bytes(data).buffer), shape, dtype)]));
  const found = [].concat(await model.executeAsync(fed, outputs));
  return Promise.all(found.map(async (tensor) => {
    const values = new Uint8Array((await tensor.data()).slice().buffer);
    let text = '';
    for (const value of values) text += String.fromCharCode(value);
    return { dtype: tensor.dtype, shape: tensor.shape, data: btoa(text) };
  }));
}

await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
const browser = await chromium.launch({ executablePath: request.browser, args: FLAGS });
const results = [];
try {
  for (const [number, one] of request.cases.entries()) {
    const tab = await browser.newPage();  // one model's broken state is not the next one's
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    const answer = await tab.evaluate(call, { ...one, number }).then(
      (outputs) => ({ outputs }),
      (error) => ({ error: String(error.message) }),
    );
    results.push(answer);
    await tab.close();
  }
} finally {
  await browser.close();
  server.close();
  server.closeAllConnections();
}
fs.writeFileSync(request.results, JSON.stringify(results));
