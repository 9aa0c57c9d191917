// node --import ./json-hook.mjs lint.mjs FILE...    one line for each finding; exit code 1 with any
//
// GitHub's own language service for action.yml and workflows, and what it leaves unchecked: names
// of inputs, steps and step outputs in a composite action, and the inputs given to our own actions.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { validate } from '@actions/languageservice';
import { Lexer, Parser } from '@actions/expressions';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LineCounter, parseDocument, visit } from 'yaml';

const CONTEXTS = ['env', 'github', 'inputs', 'job', 'matrix', 'runner', 'steps', 'strategy'];
const FUNCTIONS = ['always', 'cancelled', 'failure', 'hashFiles', 'success'].map((name) => ({
  name, minArgs: 0, maxArgs: 255,
}));
const known = JSON.parse(fs.readFileSync(new URL('./metadata.json', import.meta.url), 'utf8'));
const repository = fileURLToPath(new URL('../../..', import.meta.url));
const isAction = (file) => path.basename(file) === 'action.yml';
const actionOf = (uses) => known.actions[uses.split('@')[0]];

/** Of this very repository, as others name it. */
function ownMetadata(folder) {
  const file = path.join(repository, folder, 'action.yml');
  const { name, description, inputs } = parseDocument(fs.readFileSync(file, 'utf8')).toJS();
  return { name, description, inputs, outputs: {} };
}

async function languageService(file, text, root) {
  const document = TextDocument.create(`file:///${file}`, 'yaml', 1, text);
  const home = (owner) => (owner === 'ckpt-action' ? repository : root);
  const found = await validate(document, {
    fileProvider: {
      getFileContent: async ({ owner, path: name }) => ({
        name, content: fs.readFileSync(path.join(home(owner), name), 'utf8'),
      }),
    },
    actionsMetadataProvider: {
      fetchActionMetadata: async ({ owner, name, path: folder }) => {
        if (owner === 'ckpt-action') return ownMetadata(folder ?? '');
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

/** What one of our own actions or reusable workflows takes; undefined for others'. */
function inputsOf(uses, root) {
  const [, start, rest] = /^([.$]\/|ckpt-action\/ckpt-action\/)([^@]*)/.exec(uses) ?? [];
  if (!start) return undefined;
  const home = start.length === 2 ? root : repository;
  const file = path.join(home, rest, rest.endsWith('.yml') ? '' : 'action.yml');
  const found = parseDocument(fs.readFileSync(file.replace(/\/$/, ''), 'utf8')).toJS();
  return found.inputs ?? found.on.workflow_call?.inputs ?? {};
}

function ownInputs(text, root) {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const findings = [];
  visit(document, {
    Map(_, step) {
      const uses = step.get?.('uses');
      const inputs = typeof uses === 'string' ? inputsOf(uses, root) : undefined;
      if (!inputs) return;
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
  const root = path.resolve(path.dirname(file), '../..');
  const findings = await languageService(file, text, root);
  findings.push(...(isAction(file) ? crossReferences(text) : ownInputs(text, root)));
  for (const [line, message] of findings) console.log(`${file}:${line}: ${message}`);
  count += findings.length;
}
process.exit(count ? 1 : 0);
