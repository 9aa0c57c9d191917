// A workflow's jobs, one after the other: needs, conditions, matrices, outputs, reusable workflows.
// Not covered: cancellation, timeouts, containers, services, concurrency, environments.
import path from 'node:path';
import { parseWorkflow } from '@actions/workflow-parser';
import { isSequence } from '@actions/workflow-parser';
import { mapping, Scope, sequence } from './expressions.mjs';
import { parse, Steps } from './steps.mjs';

const MATRIX_LIMIT = 256;

/** Every combination of a matrix, with `include` and `exclude` applied. */
export function combinations({ include = [], exclude = [], ...axes }) {
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const fits = (whole, part) => Object.entries(part).every(([k, v]) => same(whole[k], v));
  let found = Object.keys(axes).length ? [{}] : [];
  for (const [name, values] of Object.entries(axes)) {
    found = found.flatMap((one) => values.map((value) => ({ ...one, [name]: value })));
  }
  found = found.filter((one) => !exclude.some((part) => fits(one, part)));
  const original = found.map((one) => ({ ...one }));
  for (const extra of include) {
    const onAxes = Object.fromEntries(Object.entries(extra).filter(([name]) => name in axes));
    const hosts = found.filter((_, at) => at < original.length && fits(original[at], onAxes));
    hosts.forEach((one) => Object.assign(one, extra));
    if (!hosts.length) found.push({ ...extra });
  }
  if (found.length > MATRIX_LIMIT) {
    throw new Error(`a matrix has at most ${MATRIX_LIMIT} jobs, this one has ${found.length}`);
  }
  return found;
}

export class Workflow {
  /** `newJournal(env)` makes what one job leaves behind; `jobs` collects it. */
  constructor(host, newJournal, jobs = []) {
    Object.assign(this, { host, newJournal, jobs });
  }

  async run(file, given = {}, prefix = '') {
    const parsed = parse(parseWorkflow, path.join(this.host.root, file));
    const root = mapping(parsed.value);
    const call = mapping(mapping(root.on).workflow_call);
    const contexts = { github: this.host.github, vars: {}, secrets: this.host.secrets };
    contexts.inputs = typedInputs(mapping(call.inputs), given, new Scope({ contexts }));
    const env = new Scope({ contexts }).texts(root.env);
    const results = {};
    for (const id of inOrder(mapping(root.jobs))) {
      const job = mapping(mapping(root.jobs)[id]);
      results[id] = await this.#job(job, parsed, { contexts, env, results, name: prefix + id });
    }
    const scope = new Scope({ contexts: { ...contexts, jobs: results } });
    const outputs = Object.entries(mapping(call.outputs)).map(([name, output]) => [
      name,
      scope.text(mapping(output).value),
    ]);
    const failed = Object.values(results).some(({ result }) => result === 'failure');
    return { result: failed ? 'failure' : 'success', outputs: Object.fromEntries(outputs), results };
  }

  async #job(job, parsed, { contexts, env, results, name }) {
    const needs = Object.fromEntries(needsOf(job).map((id) => [id, results[id]]));
    const fine = Object.values(needs).every(({ result }) => result === 'success');
    const scope = new Scope({
      contexts: { ...contexts, needs },
      status: () => (fine ? 'success' : 'failure'),
    });
    if (!scope.condition(job.if, parsed)) {
      this.jobs.push({ name, result: 'skipped' });
      return { result: 'skipped', outputs: {} };
    }
    const { matrix: declared, 'fail-fast': failFast } = mapping(job.strategy);
    const all = declared ? combinations(scope.value(declared)) : [{}];
    const merged = { result: 'success', outputs: {} };
    for (const [index, matrix] of all.entries()) {
      const strategy = { 'job-index': index, 'job-total': all.length };
      const leg = scope.with({ matrix, strategy });
      const { result, outputs } = await this.#leg(job, parsed, leg, { env, name, matrix });
      const said = Object.entries(outputs).filter(([key, v]) => v !== '' || !(key in merged.outputs));
      Object.assign(merged.outputs, Object.fromEntries(said));
      if (result === 'success') continue;
      merged.result = 'failure';
      if (!failFast || scope.text(failFast) !== 'false') break;
    }
    return merged;
  }

  /** A reusable workflow, of this repository or of another. */
  #called(uses) {
    const own = /^[.$]\/(.+)$/.exec(uses);
    if (own) return { root: this.host.root, file: own[1] };
    const [, repository, file] = /^([^/]+\/[^/]+)\/(.+)@/.exec(uses);
    const root = this.host.uses[repository];
    if (!root) throw new Error(`the test names no folder for ${uses}`);
    return { root, file };
  }

  async #leg(job, parsed, scope, { env, name, matrix }) {
    if (job.uses) {
      const given = Object.entries(mapping(job.with)).map(([k, token]) => [k, scope.value(token)]);
      const { root, file } = this.#called(job.uses.toString());
      const called = new Workflow({ ...this.host, root }, this.newJournal, this.jobs);
      return called.run(file, Object.fromEntries(given), `${name} / `);
    }
    const journal = this.newJournal({ ...env, ...scope.with({ env }).texts(job.env) });
    const defaults = scope.texts(mapping(job.defaults).run);
    const github = { ...this.host.github, workspace: journal.workspace };
    const state = await new Steps({ ...this.host, github }, journal).run(sequence(job.steps), parsed, {
      contexts: { ...scope.contexts, runner: this.host.runner, job: { status: 'success' } },
      defaults: { shell: defaults.shell, folder: defaults['working-directory'] },
      dir: journal.workspace,
      env: {},
      name,
      outermost: true,
    });
    const after = scope.with({ steps: state.steps, env: journal.env, runner: this.host.runner });
    const outputs = after.texts(job.outputs);
    const { annotations, summary, log, steps } = journal;
    this.jobs.push({
      name, matrix, result: state.status, outputs, annotations, summary, log, steps,
      permissions: scope.texts(job.permissions), runsOn: scope.value(job['runs-on']),
    });
    return { result: state.status, outputs };
  }
}

function needsOf(job) {
  if (!job.needs) return [];
  return isSequence(job.needs) ? sequence(job.needs).map(String) : [job.needs.toString()];
}

function inOrder(jobs) {
  const order = [];
  const visit = (id) => {
    if (order.includes(id)) return;
    needsOf(mapping(jobs[id])).forEach(visit);
    order.push(id);
  };
  Object.keys(jobs).forEach(visit);
  return order;
}

function typedInputs(declared, given, scope) {
  const unknown = Object.keys(given).filter((name) => !(name in declared));
  if (unknown.length) throw new Error(`the workflow has no input ${unknown.join(', ')}`);
  const pairs = Object.entries(declared).map(([name, about]) => {
    const { type, required, default: standard } = mapping(about);
    if (required?.toString() === 'true' && !(name in given)) {
      throw new Error(`the workflow needs input ${name}`);
    }
    const value = given[name] ?? (standard ? scope.value(standard) : '');
    const kind = type?.toString();
    if (kind === 'boolean') return [name, value === true || value === 'true'];
    return [name, kind === 'number' ? Number(value) : String(value)];
  });
  return Object.fromEntries(pairs);
}
