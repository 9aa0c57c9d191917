// Runs one program as a step does: command files, commands in its output, masks, annotations.
import fs from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { parseCommand, parseFile } from './commands.mjs';

const ANNOTATIONS_PER_STEP = 10;
const MESSAGE_LIMIT = 4096;
const SUMMARY_LIMIT = 1024 * 1024;
const FILES = ['output', 'env', 'path', 'step_summary', 'state'];

/** What a job's steps share and leave behind. */
export class Journal {
  constructor({ workspace, temp, env = {} }) {
    Object.assign(this, { workspace, temp, env });
    this.paths = [];
    this.masks = [];
    this.annotations = [];
    this.steps = [];
    this.summary = '';
    this.log = [];
    this.shown = {};
  }

  /** Annotations are counted for each outermost step: a composite action is one. */
  beginStep() {
    this.shown = {};
  }

  print(text) {
    this.log.push(this.masks.reduce((t, secret) => t.replaceAll(secret, '***'), text));
  }

  annotate(type, message, properties = {}) {
    this.print(`##[${type}]${message}`);
    this.shown[type] = (this.shown[type] ?? 0) + 1;
    if (this.shown[type] > ANNOTATIONS_PER_STEP) return;
    const place = { ...properties };
    if (place.file && path.isAbsolute(place.file)) {
      place.file = path.relative(this.workspace, place.file);
    }
    const masked = this.masks.reduce((t, secret) => t.replaceAll(secret, '***'), message);
    this.annotations.push({ type, message: masked.slice(0, MESSAGE_LIMIT), ...place });
  }
}

/** Runs `argv`; answers with its outcome, exit code and outputs. */
export async function runProgram(journal, argv, { cwd, env, annotateExit }) {
  const files = Object.fromEntries(
    FILES.map((kind) => [kind, path.join(journal.temp, `${kind}_${randomUUID()}`)]),
  );
  for (const file of Object.values(files)) fs.writeFileSync(file, '');
  const named = Object.entries(files).map(([kind, file]) => [`GITHUB_${kind.toUpperCase()}`, file]);
  const all = { ...env, ...Object.fromEntries(named) };
  all.PATH = [...journal.paths, env.PATH].join(path.delimiter);
  const exitCode = await finished(argv, cwd, all, lineReader(journal));
  if (exitCode && annotateExit) journal.annotate('error', `exit code ${exitCode}`);
  const read = readFiles(journal, files);
  return { exitCode, ok: exitCode === 0 && read.ok, outputs: read.outputs };
}

function finished(argv, cwd, env, onLine) {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (chunk) => {
        const lines = (rest + chunk).split(/\r\n|\n|\r/);
        rest = lines.pop();
        lines.forEach(onLine);
      });
      stream.on('end', () => rest && onLine(rest));
    }
    child.on('error', reject).on('close', resolve);
  });
}

function lineReader(journal) {
  let resumeToken = null;
  return (line) => {
    const command = parseCommand(line, resumeToken);
    if (resumeToken) {
      if (command?.name === resumeToken.toLowerCase()) resumeToken = null;
      journal.print(line);
    } else if (!command) {
      journal.print(line);
    } else if (['error', 'warning', 'notice'].includes(command.name)) {
      journal.annotate(command.name, command.data, command.properties);
    } else if (command.name === 'add-mask') {
      journal.masks.push(...command.data.split(/\r?\n/).filter((secret) => secret.trim()));
    } else if (command.name === 'stop-commands') {
      resumeToken = command.data;
    } else if (command.name !== 'debug') {
      journal.print(`##[${command.name}]${command.data}`);
    }
  };
}

function readFiles(journal, files) {
  const outputs = {};
  const text = (kind) => fs.readFileSync(files[kind], 'utf8');
  try {
    Object.assign(outputs, Object.fromEntries(parseFile(text('output'))));
    for (const [name, value] of parseFile(text('env'))) {
      if (name.toUpperCase() === 'NODE_OPTIONS') throw new Error('NODE_OPTIONS may not be set');
      journal.env[name] = value;
    }
    journal.paths.unshift(...text('path').split(/\r?\n/).filter(Boolean).reverse());
  } catch (error) {
    journal.annotate('error', `a command file cannot be read: ${error.message}`);
    return { ok: false, outputs };
  }
  const summary = text('step_summary');
  if (Buffer.byteLength(summary) > SUMMARY_LIMIT) {
    journal.annotate('error', 'the step summary is larger than 1024k and is dropped');
  } else {
    journal.summary += summary;
  }
  return { ok: true, outputs };
}
