// Every call that mailpit-api knows. INBOX_URL: of an inbox that has relay and faults, and one message in it, "by SMTP".
'use strict';

const assert = require('node:assert');
const path = require('node:path');
const test = require('node:test');
const { MailpitClient } = require(path.join(process.env.NPM_MODULES, 'mailpit-api'));

const mailpit = new MailpitClient(process.env.INBOX_URL);
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SENT = {
  From: { Email: 'user@example.test', Name: 'First Läst' },
  To: [{ Email: 'rec@example.test', Name: 'Recipient' }, { Email: 'another@example.test' }],
  Cc: [{ Email: 'copy@example.test' }],
  Bcc: ['hidden@example.test'],
  ReplyTo: [{ Email: 'reply@example.test' }],
  Subject: 'Test Email',
  Text: 'Mailpit is awesome!',
  HTML: '<p>Mailpit is <b>awesome</b>, see <a href="https://example.test/">this</a> <img src="cid:logo"></p>',
  Headers: { 'X-Custom': 'yes' },
  Tags: ['first tag', 'second'],
  Attachments: [
    { Filename: 'logo.png', Content: PNG, ContentType: 'image/png', ContentID: 'logo' },
    { Filename: 'notes.txt', Content: Buffer.from('notes').toString('base64'), ContentType: 'text/plain' },
  ],
};

test('what it is', async () => {
  const info = await mailpit.getInfo();
  assert.strictEqual(info.Messages, 1);
  assert.ok(info.RuntimeStats.Uptime >= 0 && info.RuntimeStats.SMTPAccepted === 1 && info.DatabaseSize > 0);
  const configuration = await mailpit.getConfiguration();
  assert.deepStrictEqual([configuration.MessageRelay.Enabled, configuration.ChaosEnabled, configuration.SpamAssassin], [true, true, false]);
});

test('send, and look at it', async () => {
  const { ID } = await mailpit.sendMessage(SENT);
  const message = await mailpit.waitForMessage({ query: 'subject:"Test Email"' });
  assert.strictEqual(message.ID, ID);
  assert.deepStrictEqual(message.From, { Name: 'First Läst', Address: 'user@example.test' });
  assert.deepStrictEqual(message.To.map((to) => to.Address), ['rec@example.test', 'another@example.test']);
  assert.deepStrictEqual([message.Text, message.HTML], [SENT.Text, SENT.HTML]);
  assert.deepStrictEqual([message.Bcc[0].Address, message.ReplyTo[0].Address, message.Tags], ['hidden@example.test', 'reply@example.test', SENT.Tags]);
  assert.deepStrictEqual([message.Inline[0].FileName, message.Attachments[0].FileName], ['logo.png', 'notes.txt']);
  assert.deepStrictEqual((await mailpit.getMessageHeaders(ID))['X-Custom'], ['yes']);
  const picture = await mailpit.getMessageAttachment(ID, message.Inline[0].PartID);
  assert.strictEqual(Buffer.from(await picture.arrayBuffer()).toString('base64'), PNG);
  assert.strictEqual(picture.type, 'image/png');
  assert.strictEqual((await mailpit.getAttachmentThumbnail(ID, message.Inline[0].PartID)).type, 'image/jpeg');
  assert.match(await mailpit.getMessageSource(ID), /^Return-Path: <user@example\.test>\r\n/);
  assert.match(await mailpit.renderMessageHTML(ID), /<b>awesome<\/b>/);
  assert.strictEqual(await mailpit.renderMessageText(ID), SENT.Text);
  assert.deepStrictEqual(await mailpit.linkCheck(ID), { Errors: 0, Links: [{ URL: 'https://example.test/', StatusCode: 0, Status: 'not fetched' }] });
  assert.ok((await mailpit.htmlCheck(ID)).Total.Tests > 10);
  await assert.rejects(mailpit.spamAssassinCheck(ID), /400 .*no SpamAssassin service defined/);
});

test('lists, searches, what is read', async () => {
  const list = await mailpit.listMessages();
  assert.deepStrictEqual([list.total, list.messages.length, list.messages[1].Subject], [2, 2, 'by SMTP']);
  assert.strictEqual((await mailpit.listMessages(1, 1)).messages[0].Subject, 'by SMTP');
  const unread = async () => (await mailpit.searchMessages({ query: 'is:unread' })).messages_count;
  assert.strictEqual(await unread(), 1);
  assert.strictEqual(await mailpit.setReadStatus({ Read: true }), 'ok');
  assert.strictEqual(await unread(), 0);
  await mailpit.setReadStatus({ IDs: [list.messages[0].ID], Read: false });
  assert.strictEqual(await unread(), 1);
  await mailpit.setReadStatus({ Search: 'from:ann', Read: false });
  assert.strictEqual(await unread(), 2);
  assert.strictEqual((await mailpit.waitForMessages({ query: 'to:rec@example.test', count: 1, exact: true })).messages_count, 1);
});

test('tags', async () => {
  const { ID } = await mailpit.getMessageSummary();
  assert.deepStrictEqual(await mailpit.getTags(), ['first tag', 'second']);
  assert.strictEqual(await mailpit.renameTag('first tag', 'a/b "c"'), 'ok');
  assert.deepStrictEqual(await mailpit.getTags(), ['a/b "c"', 'second']);
  assert.strictEqual(await mailpit.deleteTag('a/b "c"'), 'ok');
  await mailpit.setTags({ IDs: [ID], Tags: ['new'] });
  assert.deepStrictEqual((await mailpit.getMessageSummary(ID)).Tags, ['new']);
});

test('release and chaos', async () => {
  assert.strictEqual(await mailpit.releaseMessage('latest', { To: ['user1@example.org'] }), 'ok');
  await assert.rejects(mailpit.releaseMessage('latest', { To: ['user1@evil.test'] }), /relaying to this recipient is not allowed/);
  const triggers = await mailpit.setChaosTriggers({ Sender: { ErrorCode: 451, Probability: 5 } });
  assert.deepStrictEqual(triggers.Sender, { ErrorCode: 451, Probability: 5 });
  assert.deepStrictEqual(await mailpit.getChaosTriggers(), triggers);
  assert.strictEqual((await mailpit.setChaosTriggers()).Sender.Probability, 0);
});

test('delete', async () => {
  assert.strictEqual(await mailpit.deleteMessagesBySearch({ query: 'subject:none' }), 'ok');
  const { messages } = await mailpit.listMessages();
  assert.strictEqual(await mailpit.deleteMessages({ IDs: [messages[0].ID] }), 'ok');
  assert.strictEqual((await mailpit.listMessages()).total, 1);
  assert.strictEqual(await mailpit.deleteMessages(), 'ok');
  assert.strictEqual((await mailpit.listMessages()).total, 0);
  await assert.rejects(mailpit.getMessageSummary(), /404/);
});
