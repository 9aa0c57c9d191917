// `${{ }}` by GitHub's own engine, with the contexts and functions allowed at each place.
import fs from 'node:fs';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import { isBasicExpression, isMapping, isSequence } from '@actions/workflow-parser';
import { convertToIfCondition } from '@actions/workflow-parser/model/converter/if-condition';
import { splitAllowedContext } from '@actions/workflow-parser/templates/allowed-context';

/** Plain values as the engine's own. */
export function toData(value) {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === 'string') return new data.StringData(value);
  if (typeof value === 'number') return new data.NumberData(value);
  if (typeof value === 'boolean') return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  const pairs = Object.entries(value).map(([key, item]) => ({ key, value: toData(item) }));
  return new data.Dictionary(...pairs);
}

export const mapping = (token) =>
  token && isMapping(token)
    ? Object.fromEntries([...token].map(({ key, value }) => [key.toString(), value]))
    : {};
export const sequence = (token) =>
  token && isSequence(token) ? Array.from({ length: token.count }, (_, i) => token.get(i)) : [];

/** Evaluates tokens in one situation: `contexts` is plain data, `status` answers success(). */
export class Scope {
  constructor({ contexts, status = () => 'success', workspace }) {
    Object.assign(this, { contexts, status, workspace });
  }

  with(contexts) {
    return new Scope({ ...this, contexts: { ...this.contexts, ...contexts } });
  }

  text(token) {
    if (token === undefined) return '';
    return isBasicExpression(token)
      ? this.#evaluate(token.expression, token.definitionInfo?.allowedContext).coerceString()
      : token.toString();
  }

  texts(token) {
    const pairs = Object.entries(mapping(token));
    return Object.fromEntries(pairs.map(([name, item]) => [name, this.text(item)]));
  }

  /** Any value as plain data: what a matrix or a typed input needs. */
  value(token) {
    if (isBasicExpression(token)) {
      const found = this.#evaluate(token.expression, token.definitionInfo?.allowedContext);
      return JSON.parse(JSON.stringify(found, data.replacer));
    }
    if (isMapping(token)) {
      const pairs = Object.entries(mapping(token));
      return Object.fromEntries(pairs.map(([name, item]) => [name, this.value(item)]));
    }
    if (isSequence(token)) return sequence(token).map((item) => this.value(item));
    return token.value ?? token.toString();
  }

  /** Whether `if:` holds; without one, whether everything before succeeded. */
  condition(token, parsed) {
    if (!token) return this.status() === 'success';
    const written = convertToIfCondition(parsed.context, token);
    if (!written) throw new Error(errorsOf(parsed) || `cannot read if: ${token}`);
    return isTrue(this.#evaluate(written.expression, token.definitionInfo?.allowedContext));
  }

  #evaluate(expression, allowed = []) {
    const { namedContexts, functions } = splitAllowedContext(allowed);
    const tree = new Parser(new Lexer(expression).lex().tokens, namedContexts, functions).parse();
    return new Evaluator(tree, toData(this.contexts), this.#functions()).evaluate();
  }

  #functions() {
    const define = (name, minArgs, maxArgs, call) => [
      name.toLowerCase(),
      { name, minArgs, maxArgs, call: (...given) => toData(call(...given)) },
    ];
    return new Map([
      define('always', 0, 0, () => true),
      define('cancelled', 0, 0, () => false),
      define('failure', 0, 0, () => this.status() === 'failure'),
      define('success', 0, 0, () => this.status() === 'success'),
      define('hashFiles', 1, 255, (...names) => this.#hash(names.map((n) => n.coerceString()))),
    ]);
  }

  #hash(names) {
    const files = names.map((name) => path.join(this.workspace, name)).filter(fs.existsSync);
    const whole = createHash('sha256');
    for (const file of files) {
      whole.update(createHash('sha256').update(fs.readFileSync(file)).digest());
    }
    return files.length ? whole.digest('hex') : '';
  }
}

export const errorsOf = (parsed) =>
  parsed.context.errors.getErrors().map((error) => error.message).join('\n');

function isTrue(value) {
  if (value.kind === data.Kind.Boolean) return value.value;
  if (value.kind === data.Kind.Number) return Boolean(value.number());
  return value.kind !== data.Kind.Null && value.coerceString() !== '';
}
