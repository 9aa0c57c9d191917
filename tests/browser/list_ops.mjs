// Write the ops that @tensorflow/tfjs-converter maps, with its version, from the package's files.
// node list_ops.mjs OPS_JSON
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-converter/package.json');
const folder = path.join(path.dirname(manifest), 'dist', 'operations');

// Not every list of the folder is one that the mapper reads.
const mapper = fs.readFileSync(path.join(folder, 'operation_mapper.js'), 'utf8');
const files = new Map([...mapper.matchAll(/import \* as (\w+) from '\.\/(op_list\/\w+)'/g)]
  .map(([, name, file]) => [name, file]));
const read = mapper.match(/const ops = \[([^\]]+)\]/)[1].split(',').map((name) => name.trim());

const ops = read.flatMap((name) => {
  const text = fs.readFileSync(path.join(folder, `${files.get(name)}.js`), 'utf8');
  return new Function(text.replace('export const json =', 'return '))();
}).map((entry) => entry.tfOpName);

const { name, version } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
const content = { package: name, version, ops: [...new Set(ops)].sort() };
fs.writeFileSync(process.argv[2], `${JSON.stringify(content, null, 1)}\n`);
