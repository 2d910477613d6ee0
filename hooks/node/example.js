#!/usr/bin/env node
// Refuses recipients at the domains in `options = { blocked = ["example.net"] }`, and keeps what comes for the others.
const { hook, log, reject } = require('hooksmtpd');

const example = hook({
  validate_recipient(request) {
    const blocked = this.options.blocked ?? [];
    if (blocked.includes(request.domain_ascii ?? request.domain)) return reject('no such user', { code: 550, enhanced: '5.1.1' });
  },
  async deliver(request) {
    await request.message.save(`${request.transaction}.eml`);
    log.info('kept %s from %s', request.transaction, request.from || '<>');
  },
}, { name: 'example', stores: true });

if (require.main === module) example.run();
module.exports = example;
