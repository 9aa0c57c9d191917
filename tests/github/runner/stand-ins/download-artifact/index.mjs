import path from 'node:path';
import * as core from '@actions/core';
import { DefaultArtifactClient } from '@actions/artifact';

const client = new DefaultArtifactClient();

async function download(artifact, folder) {
  const { digestMismatch } = await client.downloadArtifact(artifact.id, {
    path: folder, expectedHash: artifact.digest,
  });
  if (digestMismatch) throw new Error('the digest differs');
}

async function downloadAll(pattern, folder) {
  const words = pattern.split('*').map((word) => word.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const wanted = new RegExp(`^${words.join('[^/]*')}$`);
  const { artifacts } = await client.listArtifacts({ latest: true });
  for (const artifact of artifacts.filter(({ name }) => wanted.test(name))) {
    await download(artifact, path.join(folder, artifact.name));
  }
}

async function main() {
  const folder = path.resolve(core.getInput('path') || process.env.GITHUB_WORKSPACE);
  const name = core.getInput('name');
  if (name) await download((await client.getArtifact(name)).artifact, folder);
  else await downloadAll(core.getInput('pattern') || '*', folder);
  core.setOutput('download-path', folder);
}

await main().catch((error) => core.setFailed(error.message));
