/*
 * server.js - a local S3 with real buckets and verified signatures.
 *
 *	node server.js --directory DIR --bucket NAME [--bucket NAME] [--port 0]
 *	    [--ready-file FILE]
 *
 * Listens on the loopback only.  When it is ready it prints "listening PORT",
 * and writes the port into FILE, which appears complete.  Key id and secret
 * are both S3RVER.  It ends when its standard input is closed or its parent
 * dies, so it never outlives a test; started with </dev/null it ends at once.
 */
'use strict';

const fs = require('fs');
const { parseArgs } = require('util');
const S3rver = require('@20minutes/s3rver');

const { values: options } = parseArgs({
	options: {
		directory: { type: 'string' },
		port: { type: 'string', default: '0' },
		bucket: { type: 'string', multiple: true, default: [] },
		'ready-file': { type: 'string' },
	},
});

if (!options.directory || options.bucket.length === 0) {
	console.error('usage: server.js --directory DIR --bucket NAME [--port 0] [--ready-file FILE]');
	process.exit(2);
}

function endWithParent() {
	const parent = process.ppid;

	process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
	/* Somebody else may hold the other end of our standard input. */
	setInterval(() => process.ppid === parent || process.exit(0), 500).unref();
}

function announce(port) {
	const file = options['ready-file'];

	if (file) {
		fs.writeFileSync(`${file}.new`, `${port}\n`);
		fs.renameSync(`${file}.new`, file);
	}
	console.log(`listening ${port}`);
}

endWithParent();
fs.mkdirSync(options.directory, { recursive: true });
new S3rver({
	address: '127.0.0.1',
	port: Number(options.port),
	directory: options.directory,
	vhostBuckets: true,
	serviceEndpoint: 'localhost',
	silent: true,
	configureBuckets: options.bucket.map((name) => ({ name })),
}).run().then((address) => announce(address.port), (error) => {
	console.error(`server.js: ${error.message}`);
	process.exit(1);
});
