// GitHub's packages import JSON files without saying so, as bundlers allow and Node does not.
import { register } from 'node:module';

const loader = `
export function load(url, context, next) {
  const json = url.endsWith('.json');
  return next(url, json ? { ...context, importAttributes: { type: 'json' } } : context);
}`;
register('data:text/javascript,' + encodeURIComponent(loader));
