// node http2.js KIND HOST PATH SECONDS: one HTTP/2 connection on which an application talks as KIND does.
'use strict';
const http2 = require('http2');
const [, , kind, host, , seconds] = process.argv;
const between = (a, b) => Math.floor(a + Math.random() * (b - a));
const word = (n) => [...Array(n)].map(() => 'abcdefghijklmnopqrstuvwxyz'[between(0, 26)]).join('');
const session = http2.connect(`https://${host}`, { rejectUnauthorized: false });
session.on('error', () => process.exit(0));
const end = Date.now() + seconds * 1000;
const token = word(between(20, 300));
const common = { 'user-agent': 'app/1.' + between(0, 99), accept: 'application/json', authorization: 'Bearer ' + token };

function ask(headers, body, then) {
  const request = session.request({ ...common, ...headers });
  request.on('error', () => process.exit(0));
  request.on('data', () => {});
  request.on('end', then);
  request.end(body);
}

let typed = '';
const kinds = {
  // The same question again and again, small answers.
  poll: (next) => ask({ ':path': '/api?n=' + between(60, 300) }, undefined, () => setTimeout(next, between(100, 1500))),
  // Telemetry: posts of JSON, almost empty answers.
  post: (next) => ask({ ':method': 'POST', ':path': '/api?n=20', 'content-type': 'application/json' },
    JSON.stringify({ t: Date.now(), id: word(between(4, 200)) }), () => setTimeout(next, between(50, 1200))),
  // A search field: each key asks for suggestions.
  suggest: (next) => {
    typed = typed.length > 12 ? '' : typed + word(1);
    ask({ ':path': '/suggest?q=' + typed }, undefined, () => setTimeout(next, between(80, 700)));
  },
  // Look-ups by an identifier of its own, as caches and services do.
  lookup: (next) => ask({ ':path': '/api?n=' + between(40, 700) + '&key=' + word(between(8, 60)) }, undefined,
    () => setTimeout(next, between(10, 400))),
  // Remote calls: bursts of small ones.
  rpc: (next) => {
    let left = between(1, 5);
    const all = left;
    for (let i = 0; i < all; i++) {
      ask({ ':method': 'POST', ':path': '/api?n=' + between(20, 400), 'content-type': 'application/grpc' },
        Buffer.alloc(between(10, 180)), () => { if (--left === 0) setTimeout(next, between(20, 1500)); });
    }
  },
};

function again() {
  if (Date.now() > end) { session.close(); setTimeout(() => process.exit(0), 200); return; }
  kinds[kind](again);
}
again();
setTimeout(() => process.exit(0), seconds * 1000 + 3000);
