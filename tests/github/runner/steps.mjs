// The steps of a job or of a composite action, and the actions that they use.
import fs from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { NoOperationTraceWriter } from '@actions/workflow-parser';
import { parseAction } from '@actions/workflow-parser/actions/action-parser';
import { errorsOf, mapping, Scope, sequence } from './expressions.mjs';
import { runProgram } from './process.mjs';

const SHELLS = {
  bash: 'bash --noprofile --norc -e -o pipefail {0}',
  sh: 'sh -e {0}',
  python: 'python {0}',
};
const NEVER_IN_SCRIPTS = new Set(['token', 'event']);

export function parse(reader, file) {
  const source = { name: file, content: fs.readFileSync(file, 'utf8') };
  const parsed = reader(source, new NoOperationTraceWriter());
  if (errorsOf(parsed)) throw new Error(`${file}: ${errorsOf(parsed)}`);
  return parsed;
}

/** `host`: github, runner, uses (name → folder), nodeEnv (for JS actions only), baseEnv, root. */
export class Steps {
  constructor(host, journal) {
    Object.assign(this, { host, journal });
  }

  /** Runs step tokens in order. `place` is where they stand: dir, env, contexts, defaults. */
  async run(tokens, parsed, place) {
    const state = { status: 'success', steps: {} };
    for (const [number, token] of tokens.entries()) {
      if (place.outermost) this.journal.beginStep();
      const step = mapping(token);
      const id = step.id?.toString() ?? `step-${number}`;
      const record = { id, outcome: 'success', conclusion: 'success', outputs: {} };
      await this.#runOne(step, parsed, place, state, record).catch((error) => {
        this.journal.annotate('error', error.message);
        record.outcome = record.conclusion = state.status = 'failure';
      });
      const { outcome, conclusion, outputs } = record;
      state.steps[id] = { outcome, conclusion, outputs };
      this.journal.steps.push({ ...record, action: place.name });
    }
    return state;
  }

  async #runOne(step, parsed, place, state, record) {
    const inherited = { ...this.journal.env, ...place.env };
    const bare = new Scope({
      contexts: {
        ...place.contexts,
        github: { ...this.host.github, action_path: place.dir },
        steps: state.steps,
        env: inherited,
      },
      status: () => state.status,
      workspace: this.journal.workspace,
    });
    const own = bare.texts(step.env);
    const scope = bare.with({ env: { ...inherited, ...own } });
    if (!scope.condition(step.if, parsed)) {
      record.outcome = record.conclusion = 'skipped';
      return;
    }
    const env = { ...inherited, ...own };
    const result = step.uses
      ? await this.use(step.uses.toString(), scope.texts(step.with), {
          ...place,
          env: { ...place.env, ...own },
          outermost: false,
        })
      : await this.#script(step, scope, env, place);
    Object.assign(record, { outputs: result.outputs, exitCode: result.exitCode });
    if (result.ok) return;
    record.outcome = 'failure';
    const goesOn = scope.text(step['continue-on-error']) === 'true';
    record.conclusion = goesOn ? 'success' : 'failure';
    if (!goesOn) state.status = 'failure';
  }

  #script(step, scope, env, place) {
    const shell = scope.text(step.shell) || place.defaults?.shell || 'bash -e {0}';
    const argv = (SHELLS[shell] ?? shell).split(' ');
    if (!argv.includes('{0}')) throw new Error(`shell '${shell}' says nowhere what to run`);
    const script = path.join(this.journal.temp, `${randomUUID()}.${argv[0]}`);
    fs.writeFileSync(script, scope.text(step.run));
    const folder = scope.text(step['working-directory']) || place.defaults?.folder || '';
    return runProgram(
      this.journal,
      argv.map((word) => word.replace('{0}', script)),
      {
        cwd: path.resolve(this.journal.workspace, folder),
        env: this.#variables(env, place.dir, this.host.scriptEnv),
        annotateExit: true,
      },
    );
  }

  #variables(env, dir, more = {}) {
    const context = (prefix, values) =>
      Object.entries(values)
        .filter(([name, value]) => typeof value === 'string' && !NEVER_IN_SCRIPTS.has(name))
        .map(([name, value]) => [`${prefix}_${name.toUpperCase()}`, value]);
    return {
      ...this.host.baseEnv,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      ...Object.fromEntries(context('GITHUB', this.host.github)),
      ...Object.fromEntries(context('RUNNER', this.host.runner)),
      GITHUB_ACTION_PATH: dir ?? '',
      ...env,
      ...more,
    };
  }

  /** One action: composite or JavaScript. */
  async use(uses, given, place) {
    const dir = this.#folderOf(uses);
    const file = ['action.yml', 'action.yaml']
      .map((name) => path.join(dir, name))
      .find((name) => fs.existsSync(name));
    if (!file) throw new Error(`${uses}: there is no action.yml in ${dir}`);
    const root = mapping(parse(parseAction, file).value);
    const inputs = this.#inputs(mapping(root.inputs), given, place);
    const runs = mapping(root.runs);
    if (runs.using.toString() !== 'composite') {
      const asEnv = Object.entries(inputs).map(([name, value]) => [
        `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
        value,
      ]);
      return runProgram(this.journal, [process.execPath, path.join(dir, runs.main.toString())], {
        cwd: this.journal.workspace,
        env: this.#variables({ ...this.journal.env, ...place.env }, dir, {
          ...Object.fromEntries(asEnv),
          ...this.host.nodeEnv,
        }),
      });
    }
    const contexts = { ...place.contexts, inputs };
    const inner = { dir, env: place.env, contexts, name: uses };
    const state = await this.run(sequence(runs.steps), parse(parseAction, file), inner);
    const scope = new Scope({ contexts: { ...contexts, steps: state.steps }, status: () => '' });
    const outputs = Object.entries(mapping(root.outputs)).map(([name, output]) => [
      name,
      scope.text(mapping(output).value),
    ]);
    return { ok: state.status === 'success', outputs: Object.fromEntries(outputs) };
  }

  #inputs(declared, given, place) {
    const names = Object.keys(declared);
    const known = new Set(names.map((name) => name.toLowerCase()));
    const unknown = Object.keys(given).filter((name) => !known.has(name.toLowerCase()));
    if (unknown.length) {
      this.journal.annotate('warning', `unknown input ${unknown.join(', ')}; known: ${names}`);
    }
    const lower = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]);
    const values = Object.fromEntries(lower);
    const scope = new Scope({
      contexts: { ...place.contexts, github: this.host.github },
      workspace: this.journal.workspace,
    });
    const pairs = Object.entries(declared).map(([name, about]) => [
      name,
      values[name.toLowerCase()] ?? scope.text(mapping(about).default),
    ]);
    return Object.fromEntries(pairs);
  }

  #folderOf(uses) {
    if (uses.startsWith('./')) return path.join(this.journal.workspace, uses);
    if (uses.startsWith('$/')) return path.join(this.host.root, uses.slice(2));
    const folder = this.host.uses[uses.split('@')[0]];
    if (!folder) throw new Error(`the test names no folder for ${uses}`);
    return folder;
  }
}
