// The SDK for Node, hooks/node/hooksmtpd.js. Run by sdk_node_test.py with node --test.
'use strict';

const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const test = require('node:test');
const sdk = require('../../hooks/node/hooksmtpd.js');

const { accept, close, defer, discard, hook, perRecipient, raw, reject } = sdk;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hooksmtpd-node-'));
test.after(() => fs.rmSync(folder, { recursive: true }));

const golden = (name) => fs.readFileSync(path.join(__dirname, `../golden/v1/${name}.jsonl`), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));

/** What is written to stderr meanwhile. */
async function logged(work) {
  const write = process.stderr.write;
  let text = '';
  process.stderr.write = (chunk) => { text += chunk; return true; };
  try {
    await work();
  } finally {
    process.stderr.write = write;
  }
  return text;
}

async function answer(value) {
  const { id, ...reply } = await hook({ validate_recipient: () => value }).ask('validate_recipient', { address: 'bob@example.test' });
  assert.strictEqual(id, 1);
  return reply;
}

const ANSWERS = [
  [undefined, { action: 'accept' }],
  [null, { action: 'accept' }],
  [true, { action: 'accept' }],
  [false, { action: 'reject' }],
  ['ok', { action: 'accept' }],
  ['drop', { action: 'discard' }],
  ['reject 550 5.1.1 no such user', { action: 'reject', code: 550, enhanced: '5.1.1', text: 'no such user' }],
  ['defer 4.2.1 later', { action: 'defer', enhanced: '4.2.1', text: 'later' }],
  ['reject 5501 is no code', { action: 'reject', text: '5501 is no code' }],
  ['close bye now', { action: 'close', text: 'bye now' }],
  [accept({ text: 'stored', delayMs: 5 }), { action: 'accept', text: 'stored', delay_ms: 5 }],
  [accept({ rewrite: '', notes: {} }), { action: 'accept', rewrite: '', notes: {} }],
  [accept({ addHeaders: [['X-A', 'b']] }), { action: 'accept', add_headers: [['X-A', 'b']] }],
  [reject(['one', 'two'], { code: 554 }), { action: 'reject', code: 554, text: ['one', 'two'] }],
  [defer('greylisted', { code: 450, enhanced: '4.2.1' }), { action: 'defer', code: 450, enhanced: '4.2.1', text: 'greylisted' }],
  [discard(), { action: 'discard' }],
  [close(undefined, { abrupt: true }), { action: 'close', abrupt: true }],
  [perRecipient([true, reject('no', { code: 550 }), 'defer']),
    { recipients: [{ action: 'accept' }, { action: 'reject', code: 550, text: 'no' }, { action: 'defer' }] }],
  [reject('caf\u00e9 \udcff \u2028'), { action: 'reject', text: 'caf\u00e9 \ufffd \u2028' }],
  [Promise.resolve('reject'), { action: 'reject' }],
];

test('an answer is a reply, now or later', async () => {
  for (const [value, reply] of ANSWERS) assert.deepStrictEqual(await answer(value), reply);
});

test('the lines that the daemon takes for words are words', async () => {
  await logged(async () => {
    for (const { line, error, verdict } of golden('replies')) {
      const text = line?.replace(/\r$/, '');
      if (!text || /^\s*[{["]/.test(text) || error === 'broken') continue;
      const expected = error ? { action: 'defer' } : { ...verdict, ...(verdict.text && { text: verdict.text[0] }) };
      assert.deepStrictEqual(await answer(text), expected, line);
    }
  });
});

test('a reply may be thrown', async () => {
  const throws = hook({ validate_sender() { throw reject('no', { code: 550 }); }, async deliver() { throw defer('full'); } });
  assert.strictEqual((await throws.ask('validate_sender')).code, 550);
  assert.strictEqual((await throws.ask('deliver')).text, 'full');
});

test('a reply that the daemon would refuse is an error where it is made', () => {
  for (const wrong of [() => reject('', { code: 450 }), () => reject('', { code: '550' }), () => defer('', { code: 550 }),
    () => reject('', { enhanced: '4.1.1' }), () => reject('', { enhanced: '5.1' }), () => reject('x'.repeat(66000))]) {
    assert.throws(wrong, RangeError);
  }
});

test('what is no answer is a failure', async () => {
  for (const wrong of [7, {}, 'yes', 'ok then', ['accept'], 'reject\n', 'reject 550 a\nb']) {
    const log = await logged(async () => assert.deepStrictEqual(await answer(wrong), { action: 'defer' }));
    assert.match(log, /is no answer/);
  }
});

test('an exception or a rejection is a temporary failure with its stack in the log', async () => {
  for (const fails of [hook({ data() { null.x; } }), hook({ async data() { null.x; } })]) {
    const log = await logged(async () => assert.strictEqual((await fails.ask('data')).action, 'defer'));
    assert.match(log, /^<3>data failed, answered with defer\n<3>TypeError: .*\n<3> {4}at .*hooksmtpd\.test\.js/);
    assert.doesNotMatch(log, /hooksmtpd\.js/);
  }
});

test('the stack of auth has no credentials', async () => {
  const fails = hook({ auth(request) { console.error(request); throw new Error(`cannot check ${request.password}\n    at ${request.token}`); } });
  const log = await logged(async () => {
    for (const { event, ...keys } of golden('auth')) assert.strictEqual((await fails.ask(event, keys)).action, 'defer');
    const strange = hook({ auth(request) { throw request.password; } }); // eslint-disable-line no-throw-literal
    await strange.ask('auth', golden('auth')[0]);
  });
  for (const secret of ['s3cret', 'ya29', 'b913a602', '1896.697', '/w==']) assert.ok(!log.includes(secret), log);
  assert.match(log, /Error \(its text is left out: it may hold a secret\)/);
});

test('falling off the end of auth lets nobody in', async () => {
  const auth = hook({ auth: (request) => ({ ann: true, eve: false })[request.user] });
  await logged(async () => {
    for (const [user, action] of [['ann', 'accept'], ['eve', 'reject'], ['bob', 'defer']]) {
      assert.strictEqual((await auth.ask('auth', { user })).action, action);
    }
  });
});

test('what nobody handles is accepted, but for what would be a lie', async () => {
  const none = hook({});
  const log = await logged(async () => {
    for (const event of ['validate_host', 'reset', 'later']) assert.strictEqual((await none.ask(event)).action, 'accept');
    for (const event of ['auth', 'deliver', 'deliver_mime']) assert.strictEqual((await none.ask(event)).action, 'defer');
  });
  assert.match(log, /^<3>nothing here handles auth: /);
});

test('an event that does not exist is an error at once', () => {
  assert.throws(() => hook({ validate_recipent() {} }), /no such event: validate_recipent/);
});

test('hello says what the hook is', async () => {
  const about = { name: 'policy.js', version: '2.1', concurrency: 8, body: 'inline', dialogue: true, stores: true, modifies: ['recipient'] };
  assert.deepStrictEqual(await hook({ disconnect() {}, validate_recipient() {} }, about).ask('hello'),
    { id: 1, ready: true, v: 1, ...about, events: ['validate_recipient', 'disconnect'], decline: ['reset', 'cancel'] });
  const { events, decline, concurrency } = await hook({ reset() {} }).ask('hello', { events: ['deliver', 'cancel'] });
  assert.deepStrictEqual([events, decline, concurrency], [['reset', 'cancel'], [], 64]);
});

test('the options are there from hello on, and a hook that cannot work is not ready', async () => {
  const works = hook({ hello() { assert.strictEqual(this.options.domain, 'x'); }, data() { return `reject ${this.options.domain}`; } });
  assert.strictEqual((await works.ask('hello', { options: { domain: 'x' } })).ready, true);
  assert.strictEqual((await works.ask('data')).text, 'x');
  await logged(async () => {
    const failing = [() => { throw new Error('no users.db'); }, async () => { throw new Error('no users.db'); }, () => 'no users.db', () => reject('no users.db')];
    for (const hello of failing) assert.deepStrictEqual(await hook({ hello }).ask('hello'), { id: 1, ready: false, text: 'no users.db' });
  });
});

test('raw gives the octets', async () => {
  for (const request of golden('validate_sender')) {
    assert.ok(raw(request, 'address').equals(request.address_b64 ? Buffer.from(request.address_b64, 'base64') : Buffer.from(request.address)));
  }
  assert.deepStrictEqual(raw(golden('deliver')[1], 'to').map(String), ['bob@example.test', '\ufffd@example.test']);
  assert.strictEqual(raw(golden('deliver')[1], 'to')[1][0], 0xfc);
});

test('a message is octets, a stream or a file', async () => {
  const octets = Buffer.from('Subject: x\r\n\r\ncaf\xe9\r\n', 'latin1');
  const spool = path.join(folder, 'spool');
  fs.writeFileSync(spool, octets, { mode: 0o444 });
  for (const message of [{ path: spool }, { data_b64: octets.toString('base64') }]) {
    const kept = path.join(folder, 'kept.eml');
    const reply = await hook({
      async deliver(request) {
        assert.ok((await request.message.bytes()).equals(octets));
        const chunks = [];
        for await (const chunk of request.message.open()) chunks.push(chunk);
        assert.ok(Buffer.concat(chunks).equals(octets));
        await request.message.save(kept);
        return discard();
      },
    }).ask('deliver', { message });
    assert.strictEqual(reply.action, 'discard');
    assert.ok(fs.readFileSync(kept).equals(octets));
    assert.ok(!fs.existsSync(`${kept}.unfinished`));
  }
});

test('the tree is walked, whether it comes in the line or in a file', async () => {
  const tree = golden('mime_trees')[1];
  const file = path.join(folder, 'tree.json');
  fs.writeFileSync(file, JSON.stringify(tree));
  for (const mime of [tree, { path: file }]) {
    const walks = hook({
      deliver_mime({ mime: found }) {
        assert.strictEqual(found.header('subject'), 'Rechnung');
        assert.strictEqual(found.header('None', '-'), '-');
        return `reject ${[...found.walk()].map((part) => part.filename ?? part.type).join(' ')}`;
      },
    });
    assert.strictEqual((await walks.ask('deliver_mime', { mime })).text, 'multipart/mixed text/html a.pdf message/rfc822 text/plain');
  }
});

test('the log has levels, and each line its own', async () => {
  const log = await logged(() => {
    sdk.log.error('one\ntwo');
    sdk.log.warning('%s is new', 'ann\n<0>forged');
    sdk.log.info({ a: 1 });
  });
  assert.strictEqual(log, '<3>one\n<3>two\n<4>ann\n<4><0>forged is new\n<6>{ a: 1 }\n');
});

test('import finds the names', async () => {
  const { hook: imported, reject: no } = await import('../../hooks/node/hooksmtpd.js');
  assert.strictEqual((await imported({ data: () => no() }).ask('data')).action, 'reject');
});
