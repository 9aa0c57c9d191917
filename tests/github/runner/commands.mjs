// What a step can say to its runner: commands in its output, and lines in files.

const KNOWN = new Set([
  'add-mask', 'add-matcher', 'add-path', 'debug', 'echo', 'endgroup', 'error', 'group', 'notice',
  'remove-matcher', 'save-state', 'set-env', 'set-output', 'stop-commands', 'warning',
]);
const DATA = [['%0D', '\r'], ['%0A', '\n'], ['%25', '%']];
const PROPERTY = [['%0D', '\r'], ['%0A', '\n'], ['%3A', ':'], ['%2C', ','], ['%25', '%']];
const LEGACY = [['%3B', ';'], ['%0D', '\r'], ['%0A', '\n'], ['%5D', ']'], ['%25', '%']];

const decode = (text, codes) => codes.reduce((t, [code, char]) => t.replaceAll(code, char), text);

function build(info, data, separator, propertyCodes, dataCodes, resumeToken) {
  const [, name, rest] = /^([^ ]*) ?(.*)$/s.exec(info);
  if (!KNOWN.has(name.toLowerCase()) && name !== resumeToken) return null;
  const properties = {};
  for (const pair of rest.trim().split(separator)) {
    const at = pair.indexOf('=');
    if (at > 0 && at < pair.length - 1) {
      properties[pair.slice(0, at)] = decode(pair.slice(at + 1), propertyCodes);
    }
  }
  return { name: name.toLowerCase(), properties, data: decode(data, dataCodes) };
}

/** The command in one line of output, or null. `resumeToken` ends a stop-commands. */
export function parseCommand(line, resumeToken = null) {
  const text = line.trimStart();
  const end = text.startsWith('::') ? text.indexOf('::', 2) : -1;
  if (end > 0) {
    const command = build(text.slice(2, end), text.slice(end + 2), ',', PROPERTY, DATA, resumeToken);
    if (command) return command;
  }
  const start = line.indexOf('##[');
  const close = start < 0 ? -1 : line.indexOf(']', start);
  if (close < 0) return null;
  const info = line.slice(start + 3, close);
  return build(info, line.slice(close + 1), ';', LEGACY, LEGACY, resumeToken);
}

/** The `name=value` lines and `name<<delimiter` blocks of a command file, as pairs. */
export function parseFile(text) {
  const lines = text.match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? [];
  const pairs = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at].replace(/[\r\n]+$/, '');
    if (!line) continue;
    const equals = line.indexOf('=');
    const heredoc = line.indexOf('<<');
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      pairs.push([line.slice(0, equals), line.slice(equals + 1)]);
      continue;
    }
    const delimiter = line.slice(heredoc + 2);
    if (heredoc <= 0 || !delimiter) throw new Error(`not a line of a command file: ${line}`);
    let value = '';
    while (lines[++at]?.replace(/(\r\n|\r|\n)$/, '') !== delimiter) {
      if (at >= lines.length) throw new Error(`no line '${delimiter}' ends the value of ${line}`);
      value += lines[at];
    }
    pairs.push([line.slice(0, heredoc), value.replace(/(\r\n|\r|\n)$/, '')]);
  }
  return pairs;
}
