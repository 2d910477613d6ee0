#!/usr/bin/env node
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  console.log(request.address?.endsWith('@blocked.example') ? 'reject 550 5.1.1 no such user' : 'ok');
});
