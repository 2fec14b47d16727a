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
const common = kind === 'doh' ? {} : { 'user-agent': 'app/1.' + between(0, 99), accept: 'application/json', authorization: 'Bearer ' + token };

function ask(headers, body, then) {
  const request = session.request({ ...common, ...headers });
  request.on('error', () => process.exit(0));
  request.on('data', () => {});
  request.on('end', then);
  request.end(body);
}

// A resolver is asked: A and AAAA of a name of any length, padded (RFC 8467) as chance will have it; four names at most at once.
const padded = Math.random() < 0.5, get = Math.random() < 0.5, width = between(1, 5);
function question(type) {
  const labels = [word(between(1, 16)), ...(Math.random() < 0.5 ? [word(between(3, 30))] : []), word(between(3, 14)), 'example'];
  const name = Buffer.concat([...labels.map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)])), Buffer.from([0])]);
  const head = Buffer.concat([Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]), name, Buffer.from([0, type, 0, 1])]);
  const pad = padded ? (128 - (head.length + 15) % 128) % 128 : 0;
  const option = padded ? Buffer.concat([Buffer.from([0, 12, 0, pad]), Buffer.alloc(pad)]) : Buffer.alloc(0);
  return Buffer.concat([head, Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, option.length]), option]);
}
function resolve(type, then) {
  const q = question(type), kind = 'application/dns-message';
  if (get) ask({ ':path': '/dns-query?dns=' + q.toString('base64url'), accept: kind }, undefined, then);
  else ask({ ':method': 'POST', ':path': '/dns-query', accept: kind, 'content-type': kind, 'content-length': q.length }, q, then);
}

let typed = '';
const kinds = {
  doh: (next) => {
    let left = 2 * between(1, width + 1);
    const done = () => { if (--left === 0) setTimeout(next, between(20, 1500)); };
    for (let i = left / 2; i > 0; i--) { resolve(1, done); resolve(28, done); }
  },
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
