// node --import ./json-hook.mjs lint.mjs FILE...    one line for each finding; exit code 1 with any
//
// GitHub's own language service for action.yml and workflows, and what it leaves unchecked: names
// of inputs, steps and step outputs in a composite action, and the inputs given to our own actions.
import fs from 'node:fs';
import path from 'node:path';
import { validate } from '@actions/languageservice';
import { Lexer, Parser } from '@actions/expressions';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LineCounter, parseDocument, visit } from 'yaml';

const CONTEXTS = ['env', 'github', 'inputs', 'job', 'matrix', 'runner', 'steps', 'strategy'];
const FUNCTIONS = ['always', 'cancelled', 'failure', 'hashFiles', 'success'].map((name) => ({
  name, minArgs: 0, maxArgs: 255,
}));
const known = JSON.parse(fs.readFileSync(new URL('./metadata.json', import.meta.url), 'utf8'));
const isAction = (file) => path.basename(file) === 'action.yml';
const actionOf = (uses) => known.actions[uses.split('@')[0]];

async function languageService(file, text) {
  const document = TextDocument.create(`file:///${file}`, 'yaml', 1, text);
  const found = await validate(document, {
    actionsMetadataProvider: {
      fetchActionMetadata: async ({ owner, name, path: folder }) => {
        const about = known.actions[[owner, name, folder].filter(Boolean).join('/')];
        if (!about) return undefined;
        const inputs = about.inputs.map((input) => [
          input, { description: '', required: about.required.includes(input) },
        ]);
        return { name, description: '', inputs: Object.fromEntries(inputs), outputs: {} };
      },
    },
  });
  return found.map(({ range, message }) => [range.start.line + 1, message]);
}

/** Calls `found` with every dotted name in an expression: ['steps', 'a', 'outputs', 'b']. */
function namesIn(node, found) {
  if (!node || typeof node !== 'object') return;
  const names = [];
  let inner = node;
  while (inner.constructor.name === 'IndexAccess') {
    names.unshift(inner.index.literal?.coerceString?.() ?? '*');
    namesIn(inner.index, found);
    inner = inner.expr;
  }
  if (inner.constructor.name === 'ContextAccess') return found([inner.name.lexeme, ...names]);
  for (const part of Object.values(inner)) {
    for (const child of [part].flat()) {
      if (child?.constructor?.name !== 'Token') namesIn(child, found);
    }
  }
}

function crossReferences(text) {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const action = document.toJS();
  const findings = [];
  const outputs = {};

  const check = (expression, line) => {
    let tree;
    try {
      tree = new Parser(new Lexer(expression).lex().tokens, CONTEXTS, FUNCTIONS).parse();
    } catch (error) {
      return findings.push([line, `${expression.trim()}: ${error.message}`]);
    }
    namesIn(tree, ([context, name, kind, output]) => {
      if (context === 'inputs' && !(name in (action.inputs ?? {}))) {
        findings.push([line, `there is no input '${name}'`]);
      }
      if (context !== 'steps') return;
      if (!(name in outputs)) findings.push([line, `no step before this has the id '${name}'`]);
      else if (kind === 'outputs' && !outputs[name].includes(output)) {
        findings.push([line, `step '${name}' has no output '${output}'`]);
      }
    });
  };
  const checkAll = (node) =>
    visit(node, {
      Scalar(_, scalar) {
        if (typeof scalar.value !== 'string') return;
        const line = counter.linePos(scalar.range[0]).line;
        for (const [, inside] of scalar.value.matchAll(/\$\{\{([\s\S]*?)\}\}/g)) check(inside, line);
      },
    });

  for (const step of document.getIn(['runs', 'steps'])?.items ?? []) {
    checkAll(step);
    const { id, uses, if: condition } = step.toJS(document);
    if (typeof condition === 'string' && !condition.includes('${{')) {
      check(condition, counter.linePos(step.range[0]).line);
    }
    if (id) outputs[id] = (uses ? actionOf(uses)?.outputs : known.scripts[id]) ?? [];
  }
  if (document.get('outputs')) checkAll(document.get('outputs'));
  return findings;
}

function ownInputs(text, own) {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const findings = [];
  visit(document, {
    Map(_, step) {
      const uses = step.get?.('uses');
      if (typeof uses !== 'string' || !/^[.$]\//.test(uses)) return;
      const { inputs } = parseDocument(fs.readFileSync(own(uses), 'utf8')).toJS();
      for (const { key } of step.get('with')?.items ?? []) {
        if (key.value in inputs) continue;
        findings.push([counter.linePos(key.range[0]).line, `${uses} has no input '${key.value}'`]);
      }
    },
  });
  return findings;
}

let count = 0;
for (const file of process.argv.slice(2)) {
  const text = fs.readFileSync(file, 'utf8');
  const findings = await languageService(file, text);
  if (isAction(file)) findings.push(...crossReferences(text));
  else {
    const root = path.resolve(path.dirname(file), '../..');
    findings.push(...ownInputs(text, (uses) => path.join(root, uses.slice(2), 'action.yml')));
  }
  for (const [line, message] of findings) console.log(`${file}:${line}: ${message}`);
  count += findings.length;
}
process.exit(count ? 1 : 0);
