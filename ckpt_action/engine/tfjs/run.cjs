// Run one call of a graph model in Node: node run.cjs REQUEST.json
// With `repeat` behind it: one call for each line that is read, and a line when it was made.
// The request and the results are described in node.py.
'use strict';
const fs = require('fs');
const path = require('path');

const request = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const load = require('module').createRequire(path.join(request.modules, 'anything.js'));
console.warn = () => {};  // that a plain JavaScript backend is slow
console.log = () => {};
const tf = load('@tensorflow/tfjs-core');
load('@tensorflow/tfjs-backend-cpu');
const { loadGraphModel } = load('@tensorflow/tfjs-converter');
const KINDS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array, complex64: Float32Array };

async function artifacts() {
  const { modelTopology, modelInitializer, signature, weightsManifest } =
    JSON.parse(fs.readFileSync(request.model, 'utf8'));
  const folder = path.dirname(request.model);
  const shards = weightsManifest.flatMap((group) => group.paths)
    .map((name) => fs.readFileSync(path.join(folder, name)));
  const all = Buffer.concat(shards);
  return {
    modelTopology,
    modelInitializer,
    signature,
    weightSpecs: weightsManifest.flatMap((group) => group.weights),
    weightData: all.buffer.slice(all.byteOffset, all.byteOffset + all.length),
  };
}

function fed({ dtype, shape, file }) {
  const content = fs.readFileSync(file);
  if (dtype === 'string') {
    const items = JSON.parse(content).map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));
    return tf.tensor(items, shape, dtype);
  }
  const bytes = content.buffer.slice(content.byteOffset, content.byteOffset + content.length);
  if (dtype === 'complex64') {
    const pairs = new KINDS[dtype](bytes);
    const part = (odd) => tf.tensor(pairs.filter((_, i) => i % 2 === odd), shape, 'float32');
    return tf.complex(part(0), part(1));
  }
  return tf.tensor(new KINDS[dtype](bytes), shape, dtype);
}

/** A cast to a wider type leaves the array that was there: numbers, in bytes of another type. */
async function written(tensor, number) {
  const { dtype, shape } = tensor;
  const file = `out${number}.bin`;
  const content = dtype === 'string'
    ? JSON.stringify((await tensor.bytes()).map((item) => Buffer.from(item).toString('hex')))
    : new Uint8Array(new KINDS[dtype](await tensor.data()).buffer);
  fs.writeFileSync(path.join(request.folder, file), content);
  return { dtype, shape, file };
}

/** As an application calls the model: without waiting, where its ops allow that. */
async function repeat(model, inputs) {
  let call = () => model.execute(inputs, request.outputs);
  try {
    call();
  } catch {
    call = () => model.executeAsync(inputs, request.outputs);
  }
  process.stdout.write('\n');
  for await (const line of require('readline').createInterface({ input: process.stdin })) {
    const found = [].concat(await call());
    await Promise.all(found.map((tensor) => tensor.data()));
    tf.dispose(found);
    process.stdout.write(`${line}\n`);
  }
}

async function main() {
  await tf.setBackend('cpu');
  const model = await loadGraphModel({ load: artifacts });
  const inputs = Object.fromEntries(request.inputs.map((entry) => [entry.name, fed(entry)]));
  if (process.argv[3] === 'repeat') {
    await repeat(model, inputs);
    return;
  }
  const found = [].concat(await model.executeAsync(inputs, request.outputs));
  const results = [];
  for (const [number, tensor] of found.entries()) results.push(await written(tensor, number));
  fs.writeFileSync(path.join(request.folder, 'results.json'), JSON.stringify(results));
}

main().catch((error) => {
  process.stderr.write(`${error.stack || error}\n`);
  process.exit(1);
});
