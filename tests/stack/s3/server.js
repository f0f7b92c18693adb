/*
 * server.js - a local S3 with real buckets and verified signatures.
 *
 *	node server.js --directory DIR --bucket NAME [--bucket NAME] [--port 0]
 *	    [--ready-file FILE] [--outlive-starter]
 *
 * Listens on the loopback only; path style only, because s3rver verifies other
 * signatures wrongly.  Key id and secret are both S3RVER.  Its start and end: life.js.
 */
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const { parseArgs } = require('util');
const S3rver = require('@20minutes/s3rver');
const life = require('./life.js');

const { values: options } = parseArgs({
	options: {
		...life.options,
		directory: { type: 'string' },
		bucket: { type: 'string', multiple: true, default: [] },
	},
});

if (!options.directory || options.bucket.length === 0) {
	console.error('usage: server.js --directory DIR --bucket NAME [--port 0] [--ready-file FILE]');
	process.exit(2);
}

/* s3rver 4.0.4 makes its continuation tokens with DES, which OpenSSL 3 has no
 * more; without this, listings of over 1000 keys fail. */
const twice = (bytes) => Buffer.concat([bytes, bytes]);
for (const name of ['createCipheriv', 'createDecipheriv']) {
	const original = crypto[name];
	crypto[name] = (algorithm, key, iv, ...rest) => (algorithm === 'des'
		? original('aes-128-cbc', twice(key), twice(iv)) : original(algorithm, key, iv, ...rest));
}

/* It also escapes the texts of its listings twice. */
async function escapeOnce(context, next) {
	await next();
	if (typeof context.body === 'string' && context.type === 'application/xml') {
		context.body = context.body.replaceAll('&amp;', '&');
	}
}

life.endWithStarter(options);
fs.mkdirSync(options.directory, { recursive: true });
const server = new S3rver({
	address: '127.0.0.1',
	port: Number(options.port),
	directory: options.directory,
	vhostBuckets: false,
	silent: true,
	configureBuckets: options.bucket.map((name) => ({ name })),
});
server.middleware.unshift(escapeOnce);
server.run().then((address) => life.announce(options, address.port), (error) => {
	console.error(`server.js: ${error.message}`);
	process.exit(1);
});
