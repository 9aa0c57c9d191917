import fs from 'node:fs';
import path from 'node:path';
import * as core from '@actions/core';
import { DefaultArtifactClient } from '@actions/artifact';
import { create } from '@actions/glob';

async function upload() {
  const pattern = core.getInput('path', { required: true });
  const globber = await create(pattern, {
    excludeHiddenFiles: !core.getBooleanInput('include-hidden-files'),
  });
  const files = (await globber.glob()).filter((file) => fs.statSync(file).isFile());
  if (!files.length) {
    const report = core.getInput('if-no-files-found') === 'error' ? core.setFailed : core.warning;
    return report(`nothing to upload at ${pattern}`);
  }
  const [searched] = globber.getSearchPaths();
  const root = files.includes(searched) ? path.dirname(searched) : searched;
  const name = core.getInput('name');
  const { id, digest } = await new DefaultArtifactClient().uploadArtifact(name, files, root, {
    retentionDays: Number(core.getInput('retention-days')) || undefined,
    compressionLevel: Number(core.getInput('compression-level')),
  });
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
  core.setOutput('artifact-id', id);
  core.setOutput('artifact-digest', digest);
  const run = `${server}/${repository}/actions/runs/${process.env.GITHUB_RUN_ID}`;
  core.setOutput('artifact-url', `${run}/artifacts/${id}`);
}

await upload().catch((error) => core.setFailed(error.message));
