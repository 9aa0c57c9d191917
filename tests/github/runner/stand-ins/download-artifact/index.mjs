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
  const found = artifacts.filter(({ name }) => wanted.test(name));
  // The real one makes a folder for each only where there are several.
  for (const artifact of found) {
    await download(artifact, found.length > 1 ? path.join(folder, artifact.name) : folder);
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
