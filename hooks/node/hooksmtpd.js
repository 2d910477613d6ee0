'use strict';
/**
 * Hooks for hooksmtpd in Node. This one file is the whole library and its manual; it needs Node 18 and no more.
 *
 *     #!/usr/bin/env node
 *     const { hook, reject } = require('hooksmtpd');
 *
 *     hook({
 *       validate_recipient(request) {
 *         if (request.domain === 'blocked.example') return reject('no such user', { code: 550, enhanced: '5.1.1' });
 *       },
 *       async deliver(request) {
 *         await request.message.save(`${request.transaction}.eml`);
 *       },
 *     }).run();
 *
 * The daemon puts this file on NODE_PATH, where `require` finds it. `import` does not look there: it takes a copy beside
 * the hook, or `createRequire(import.meta.url)('hooksmtpd')`. hooksmtpd.d.ts has the types.
 *
 * A handler gets the request as PROTOCOL.md shows it and returns, or throws, now or by a promise:
 *     accept(), reject(), defer(), discard(), close(), perRecipient()   a Reply, with what is to be said
 *     undefined, null, true   accept. An `auth` handler must say true or accept(): who falls off its end lets nobody in.
 *     false                   reject, in the words of the daemon
 *     'reject 550 5.1.1 no such user'   a string is a word line of the protocol
 * Anything else that is thrown is a temporary failure for this client, and its stack is in the daemon's log.
 *
 * What nobody handles is accepted, but for `auth`, `deliver` and `deliver_mime`: a yes to those would be a lie.
 *
 * console.log is safe: hook() moves standard output away, and what is printed goes to the daemon's log. `log.info`
 * writes there with a level.
 */

const fs = require('fs');
const path = require('path');
const stream = require('stream');
const util = require('util');

const EVENTS = ['hello', 'validate_host', 'helo', 'starttls', 'auth', 'validate_sender', 'validate_recipient', 'data', 'deliver',
  'deliver_mime', 'command', 'reset', 'disconnect', 'cancel'];
const NEEDS_A_HANDLER = new Set(['auth', 'deliver', 'deliver_mime', undefined]); // undefined: a line that is no request
const CODES = { reject: [500, 559], defer: [400, 459], close: [421, 421] };
const MAX_LINE = 65000; // of 64 KiB: the id needs some too
const SECRETS = ['password', 'token', 'digest', 'challenge'];

// --- What is asked

/** The exact octets of a text, also where they are not UTF-8 (each such octet stands as U+FFFD in the text): a Buffer; of
 *  a list of texts, a list of them. raw(request, 'address'), raw(request.params, 'ENVID') */
function raw(object, key) {
  const value = object[key];
  const exact = Object.hasOwn(object, `${key}_b64`) ? object[`${key}_b64`] : null;
  const octets = (text, twin) => (typeof twin === 'string' ? Buffer.from(twin, 'base64') : Buffer.from(text, 'utf8'));
  return Array.isArray(value) ? value.map((text, i) => octets(text, exact && exact[i])) : octets(value, exact);
}

/** request.message: raw octets with CRLF line ends, as a file (gone after the reply) or inline. */
class Message {
  /** A stream of the octets. */
  open() {
    return this.path === undefined ? stream.Readable.from([inline(this)]) : fs.createReadStream(this.path);
  }

  /** All of them: a promise of a Buffer. */
  async bytes() {
    return this.path === undefined ? inline(this) : fs.promises.readFile(this.path);
  }

  /** Copies them to a file: whole and on disk when the promise is fulfilled. */
  async save(name) {
    const unfinished = `${name}.unfinished`;
    if (this.path === undefined) {
      await fs.promises.writeFile(unfinished, inline(this));
    } else {
      await fs.promises.copyFile(this.path, unfinished);
      await fs.promises.chmod(unfinished, 0o600);
    }
    await sync(unfinished, 'r+');
    await fs.promises.rename(unfinished, name);
    await sync(path.dirname(name), 'r');
  }
}

function inline(message) {
  return message.data === undefined ? Buffer.from(message.data_b64, 'base64') : Buffer.from(message.data);
}

async function sync(name, flags) {
  const file = await fs.promises.open(name, flags);
  await file.sync().finally(() => file.close());
}

/** request.mime, the parsed message of deliver_mime: every node of it. */
class Part {
  /** The first header field of that name, decoded. */
  header(name, otherwise = '') {
    const found = this.headers.find((field) => field[0].toLowerCase() === name.toLowerCase());
    return found ? found[2] : otherwise;
  }

  /** This part and everything in it, in order. */
  * walk() {
    yield this;
    for (const part of this.parts ?? (this.message ? [this.message] : [])) yield* part.walk();
  }

  /** A stream of the decoded body of a leaf. */
  open() {
    return fs.createReadStream(this.path);
  }
}

/** request.mime becomes a Part, when somebody looks at it; a large tree is in a file. */
function lendTree(request, mime) {
  let tree;
  const get = () => (tree ??= toParts(mime.type === undefined ? JSON.parse(fs.readFileSync(mime.path, 'utf8')) : mime));
  Object.defineProperty(request, 'mime', { get, enumerable: true });
}

function toParts(node) {
  Object.setPrototypeOf(node, Part.prototype);
  for (const part of node.parts ?? (node.message ? [node.message] : [])) toParts(part);
  return node;
}

/** One line, as the daemon wrote it. */
function toRequest(line) {
  let request;
  try {
    request = JSON.parse(line);
  } catch { /* below */ }
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    log.error(`a line of ${line.length} characters that is no request, answered with defer`);
    return {};
  }
  if (request.message !== undefined) Object.setPrototypeOf(request.message, Message.prototype);
  if (request.event === 'deliver_mime' && request.mime !== undefined) lendTree(request, request.mime);
  if (request.event === 'auth') Object.defineProperty(request, util.inspect.custom, { value: withoutSecrets });
  return request;
}

/** How console.log shows a request with credentials. */
function withoutSecrets() {
  return Object.fromEntries(Object.entries(this).map(([key, value]) => [key, SECRETS.includes(key.replace(/_b64$/, '')) ? '***' : value]));
}

// --- What is answered

/** An answer, to return or to throw; made by the functions below. The same one may be given many times. */
class Reply {
  constructor(fields) {
    this.fields = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
    const { action, code, enhanced } = this.fields;
    const [low, high] = CODES[action] ?? [0, -1];
    if (code !== undefined && !(Number.isInteger(code) && code >= low && code <= high)) {
      throw new RangeError(`${action} with the code ${code}: it must be ${low} to ${high}`);
    }
    const family = Math.floor(low / 100);
    if (enhanced !== undefined && !(new RegExp(`^${family}\\.\\d{1,3}\\.\\d{1,3}$`).test(enhanced))) {
      throw new RangeError(`${action} with the enhanced code ${enhanced}: it must be ${family}.y.z`);
    }
    const text = JSON.stringify(this.fields, (key, value) => (typeof value === 'string' ? wellFormed(value) : value));
    if (Buffer.byteLength(text) > MAX_LINE) throw new RangeError(`a reply of ${Buffer.byteLength(text)} octets: the daemon reads ${MAX_LINE}`);
    this.tail = text === '{}' ? '}\n' : `,${text.slice(1)}\n`; // what follows the id in the line
  }
}

/** Yes. `rewrite`: another address, for a sender or recipient. `addHeaders`: [['X-Name', 'value'], ...]. Both need
 *  `modifies`. `notes`: a small object that comes back as request.notes in this session; {} forgets. */
function accept({ text, rewrite, addHeaders, notes, delayMs } = {}) {
  return new Reply({ action: 'accept', text, rewrite, add_headers: addHeaders, notes, delay_ms: delayMs });
}

/** No, for good: code 500 to 559, enhanced '5.y.z'. The client reads `text` (of several lines, if it is an array) where
 *  there is a code, or where PROTOCOL.md says so. */
function reject(text, { code, enhanced, notes, delayMs } = {}) {
  return new Reply({ action: 'reject', code, enhanced, text, notes, delay_ms: delayMs });
}

/** Not now: code 400 to 459, enhanced '4.y.z'. The client tries again later. */
function defer(text, { code, enhanced, notes, delayMs } = {}) {
  return new Reply({ action: 'defer', code, enhanced, text, notes, delay_ms: delayMs });
}

/** The client hears yes, and nothing is kept. */
function discard({ notes, delayMs } = {}) {
  return new Reply({ action: 'discard', notes, delay_ms: delayMs });
}

/** 421, and the connection ends. `abrupt`: without a word. */
function close(text, { enhanced, abrupt, delayMs } = {}) {
  return new Reply({ action: 'close', enhanced, text, abrupt: abrupt || undefined, delay_ms: delayMs });
}

/** To a message that came over LMTP: an answer for each of request.to. */
function perRecipient(answers) {
  return new Reply({ recipients: answers.map((answer) => toReply(answer).fields) });
}

const ACCEPT = accept();
const REJECT = reject();
const DEFER = defer();
const WORDS = new RegExp('^(?:(?<yes>ok|accept|discard|drop)\\s*|(?<close>close)(?: +(?<rest>.*))?'
  + '|(?<no>reject|defer)(?: +(?<code>\\d{3})(?!\\S))?(?: +(?<enhanced>[245]\\.\\d{1,3}\\.\\d{1,3})(?!\\S))?(?: +(?<text>.*))?)$');

function toReply(answer) {
  if (answer === undefined || answer === null || answer === true) return ACCEPT;
  if (answer === false) return REJECT;
  if (answer instanceof Reply) return answer;
  const words = typeof answer === 'string' ? WORDS.exec(answer)?.groups : undefined;
  if (words?.close) return close(words.rest);
  if (words?.yes) return new Reply({ action: words.yes === 'ok' || words.yes === 'accept' ? 'accept' : 'discard' });
  if (words?.no) {
    const code = words.code && Number(words.code);
    return new Reply({ action: words.no, code, enhanced: words.enhanced, text: words.text || undefined });
  }
  throw new TypeError(`${util.inspect(answer)} is no answer: return accept(), reject(...), true, 'reject 550 5.1.1 no such user'...`);
}

/** Without lone surrogates, which are not Unicode. */
function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

// --- The log

/** Writes to the log of the daemon, as console.log does, with a level. */
const log = Object.fromEntries(Object.entries({ error: 3, warning: 4, notice: 5, info: 6, debug: 7 }).map(([name, level]) => [
  name, (...values) => process.stderr.write(util.format(...values).split(/\r?\n/).map((line) => `<${level}>${line}\n`).join(''))]));

/** Where an error comes from, as far as that is not in here or in Node. */
function frames(error) {
  const lines = String(error?.stack).split('\n').filter((line) => /^ {4}at /.test(line) && !String(error.message).includes(line));
  return lines.filter((line) => !line.includes(__filename) && !/\(?node:/.test(line)).join('\n');
}

/** An error with what it says, unless that may hold a secret. */
function trace(error, event) {
  if (!(error instanceof Error)) return event === 'auth' ? `a thrown ${typeof error}` : util.inspect(error);
  const text = event === 'auth' ? `${error.constructor.name} (its text is left out: it may hold a secret)` : String(error);
  return `${text}\n${frames(error)}`.trimEnd();
}

// --- The hook

let output; // where replies go: not 1, which is the log's from then on

/** From here on nobody else writes replies by mistake: not console.log, and no child process. */
function takeOutput() {
  if (output !== undefined) return;
  output = 1;
  try { // Node has no dup(): the same pipes are opened once more
    const own = fs.openSync('/proc/self/fd/1', 'a');
    const logged = fs.openSync('/proc/self/fd/2', 'a');
    fs.closeSync(1);
    fs.openSync('/proc/self/fd/2', 'a'); // the lowest number that is free
    fs.closeSync(logged);
    output = own;
  } catch { /* of a socket or without /proc: console and process.stdout are moved still */ }
  Object.defineProperty(process, 'stdout', { configurable: true, get: () => process.stderr });
  globalThis.console = new console.Console(process.stderr, process.stderr);
}

/** What a handler gets besides the request. */
class Context {
  /** Aborted when nobody waits for the answer any more, if the hook is subscribed to `cancel`. */
  get signal() {
    this.controller ??= new AbortController();
    return this.controller.signal;
  }
}

/**
 * A program that the daemon asks. `name`, `version`: for people. `concurrency`: how many requests it takes at once, 1 to
 * 256. `body: 'inline'`: small messages come in the request. `dialogue`: disconnect tells what was said. `stores`: it
 * keeps messages. `modifies`: which of 'sender', 'recipient', 'headers' it may change.
 */
class Hook {
  constructor(handlers, { name, version, concurrency = 64, body, dialogue, stores, modifies } = {}) {
    const unknown = Object.keys(handlers).filter((event) => !EVENTS.includes(event));
    if (unknown.length > 0) throw new TypeError(`no such event: ${unknown.join(', ')}. There are ${EVENTS.join(', ')}`);
    this.handlers = new Map(Object.entries(handlers));
    this.about = { name: name ?? path.basename(process.argv[1] ?? 'hook'), version, concurrency, body, dialogue, stores, modifies };
    /** Those of the configuration, from hello on. */
    this.options = {};
    /** All of hello: `isolation`, `instance`, `timeout_ms`, ... */
    this.daemon = {};
    this.out = new Map(); // id -> the context of what has not been answered yet
    this.replies = [];
    // A program that is a hook, not a test that requires one.
    if (require.main !== undefined && require.main === module.parent) takeOutput();
  }

  /** Answers until the daemon has no more questions. */
  run() {
    takeOutput();
    process.on('unhandledRejection', (error) => {
      log.error('a promise was rejected, and nobody had waited for it\n%s', trace(error, this.handlers.has('auth') ? 'auth' : ''));
    });
    let rest = '';
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      let due = performance.now() + 2;
      for (const line of lines) {
        this.take(toRequest(line));
        if (performance.now() > due) { // else what comes together is answered together
          this.write();
          due = performance.now() + 2;
        }
      }
    });
    return this;
  }

  /** What the hook would answer, for tests: (await hook.ask('validate_recipient', { address: 'a@b.example' })).action */
  async ask(event, keys = {}) {
    const request = toRequest(JSON.stringify({ v: 1, id: 1, event, ...keys }));
    return JSON.parse(await this.answer(request, new Context()));
  }

  // Inside.

  take(request) {
    const { id, event } = request;
    const context = new Context();
    if (event === 'cancel') this.cancel(request.target);
    const line = this.answer(request, context);
    if (typeof line === 'string') return this.say(line);
    this.out.set(id, context);
    line.then((text) => {
      if (context.cancelled) return; // and answered
      if (this.out.get(id) === context) this.out.delete(id);
      this.say(text);
    });
  }

  cancel(id) {
    const context = this.out.get(id);
    if (context === undefined) return;
    this.out.delete(id);
    this.say(this.line({ id }, DEFER));
    context.cancelled = true;
    context.controller?.abort();
  }

  /** The line that answers, or a promise of it; it is never rejected. */
  answer(request, context) {
    if (request.event === 'hello') {
      this.daemon = request;
      this.options = request.options ?? {};
    }
    const handler = this.handlers.get(request.event);
    try {
      const answer = handler === undefined ? this.unhandled(request.event) : handler.call(this, request, context);
      if (typeof answer?.then !== 'function') return this.line(request, answer);
      return Promise.resolve(answer).then((value) => this.line(request, value)).catch((error) => this.failed(request, error, context));
    } catch (error) {
      return this.failed(request, error, context);
    }
  }

  line(request, answer) {
    let reply;
    if (request.event === 'hello') {
      reply = this.introduction(answer);
    } else if (request.event === 'auth' && (answer === undefined || answer === null)) {
      throw new TypeError(`this handler returned ${answer}: it must return true or accept() to let somebody in`);
    } else {
      reply = toReply(answer);
    }
    return request.id === undefined ? `{${reply.tail.slice(1)}` : `{"id":${request.id}${reply.tail}`;
  }

  introduction(answer) {
    if (!(answer === undefined || answer === null || answer === true)) {
      return new Reply({ ready: false, text: answer instanceof Reply ? answer.fields.text : String(answer) });
    }
    const handled = (event) => this.handlers.has(event) || (event === 'cancel' && this.daemon.events?.includes(event));
    const decline = ['reset', 'cancel'].filter((event) => !handled(event));
    return new Reply({ ready: true, v: 1, ...this.about, events: EVENTS.slice(1).filter(handled), decline });
  }

  unhandled(event) {
    if (!NEEDS_A_HANDLER.has(event)) return true;
    if (event !== undefined) {
      log.error(`nothing here handles ${event}: answered with defer. It needs a handler, or does not belong into \`events\` of the configuration`);
    }
    return DEFER;
  }

  failed(request, error, context) {
    if (context.cancelled) return '';
    if (error instanceof Reply) return this.line(request, error);
    log.error('%s failed, answered with defer\n%s', request.event, trace(error, request.event));
    return this.line(request, request.event === 'hello' ? String(error?.message ?? error) : DEFER);
  }

  /** What is said in one turn of the loop is written at its end. */
  say(line) {
    if (this.replies.length === 0) setImmediate(() => this.write());
    this.replies.push(line);
  }

  write() {
    let octets = Buffer.from(this.replies.join(''));
    this.replies = [];
    while (octets.length > 0) {
      try {
        octets = octets.subarray(fs.writeSync(output, octets));
      } catch (error) {
        if (error.code === 'EPIPE') process.exit(0); // the daemon is gone
        if (error.code !== 'EAGAIN') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // somebody made the pipe non-blocking
      }
    }
  }
}

/** hook({ validate_recipient(request) {...}, async deliver(request, { signal }) {...} }, { concurrency: 8 }).run() */
function hook(handlers, settings) {
  return new Hook(handlers, settings);
}

module.exports = { EVENTS, Hook, Message, Part, Reply, accept, close, defer, discard, hook, log, perRecipient, raw, reject };
