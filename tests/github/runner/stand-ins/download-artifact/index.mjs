import path from 'node:path';
import * as core from '@actions/core';
import { DefaultArtifactClient } from '@actions/artifact';

async function download() {
  const client = new DefaultArtifactClient();
  const folder = path.resolve(core.getInput('path') || process.env.GITHUB_WORKSPACE);
  const { artifact } = await client.getArtifact(core.getInput('name', { required: true }));
  const { digestMismatch } = await client.downloadArtifact(artifact.id, {
    path: folder, expectedHash: artifact.digest,
  });
  if (digestMismatch) throw new Error('the digest differs');
  core.setOutput('download-path', folder);
}

await download().catch((error) => core.setFailed(error.message));
