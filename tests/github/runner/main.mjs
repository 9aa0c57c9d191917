// node --import ./json-hook.mjs main.mjs < spec.json > result.json
//
// Runs one composite action ({"action": "./"}) or one workflow ({"workflow": "file"}) on this
// machine as GitHub's runner would, and says what came of it. For tests only.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Journal } from './process.mjs';
import { Steps } from './steps.mjs';
import { Workflow } from './workflow.mjs';

const spec = JSON.parse(fs.readFileSync(0, 'utf8'));
const workspace = path.resolve(spec.workspace);
const temp = fs.mkdtempSync(path.join(os.tmpdir(), 'runner-'));
const eventFile = path.join(temp, 'event.json');
fs.writeFileSync(eventFile, JSON.stringify(spec.event ?? {}));

const github = {
  actor: 'octo', api_url: 'https://api.github.com', event: spec.event ?? {},
  event_name: 'push', event_path: eventFile, job: 'export', ref: 'refs/heads/main',
  ref_name: 'main', ref_type: 'branch', repository: 'octo/models', repository_owner: 'octo',
  run_attempt: '1', run_id: '1', run_number: '1', server_url: 'https://github.com',
  sha: 'f'.repeat(40), token: 'the-job-token', workflow: 'export', workspace, ...spec.github,
};
const host = {
  github,
  runner: { arch: 'X64', environment: 'self-hosted', name: 'local', os: 'Linux', temp, ...spec.runner },
  uses: spec.uses ?? {},
  nodeEnv: spec.nodeEnv ?? {},
  scriptEnv: spec.scriptEnv ?? {},
  baseEnv: spec.baseEnv,
  secrets: spec.secrets ?? {},
  root: path.resolve(spec.root ?? workspace),
};
const newJournal = (env) => new Journal({ workspace, temp, env });

/** Each job of a workflow has a machine of its own, and so a workspace as it was in the beginning. */
function newMachine(env) {
  const own = fs.mkdtempSync(path.join(temp, 'workspace-'));
  fs.cpSync(workspace, own, { recursive: true });
  return new Journal({ workspace: own, temp, env });
}

async function runAction() {
  const journal = newJournal({ ...spec.env });
  const strategy = { 'job-index': 0, 'job-total': 1, ...spec.strategy };
  const contexts = {
    github, runner: host.runner, job: { status: 'success' }, strategy, matrix: spec.matrix ?? {},
  };
  const result = await new Steps(host, journal).use(spec.action, spec.inputs ?? {}, {
    contexts, env: {}, dir: workspace,
  });
  const { annotations, steps, summary, log, env, paths } = journal;
  return { ok: result.ok, outputs: result.outputs, annotations, steps, summary, log, env, paths };
}

async function runWorkflow() {
  const workflow = new Workflow(host, spec.machines ? newMachine : newJournal);
  const { result, outputs, results } = await workflow.run(spec.workflow, spec.inputs ?? {});
  return { ok: result === 'success', outputs, results, jobs: workflow.jobs };
}

try {
  const result = spec.workflow ? await runWorkflow() : await runAction();
  process.stdout.write(JSON.stringify(result));
} finally {
  fs.rmSync(temp, { recursive: true, force: true });
}
