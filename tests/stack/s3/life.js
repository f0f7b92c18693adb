/*
 * life.js - how the servers here say that they are ready, and when they end.
 *
 * Ready: "listening PORT" on standard output, and the port in --ready-file,
 * which appears complete.  End: when standard input is closed or the parent
 * dies, so that none outlives a test; with --outlive-starter only by a signal
 * (tests/stack/process.py uses it and takes care itself).
 */
'use strict';

const fs = require('fs');

exports.options = {
	port: { type: 'string', default: '0' },
	'ready-file': { type: 'string' },
	'outlive-starter': { type: 'boolean', default: false },
};

exports.announce = function announce(options, port) {
	const file = options['ready-file'];

	if (file) {
		fs.writeFileSync(`${file}.new`, `${port}\n`);
		fs.renameSync(`${file}.new`, file);
	}
	console.log(`listening ${port}`);
};

exports.endWithStarter = function endWithStarter(options) {
	const parent = process.ppid;

	if (options['outlive-starter']) {
		return;
	}
	process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
	/* Somebody else may hold the other end of our standard input. */
	setInterval(() => process.ppid === parent || process.exit(0), 500).unref();
};
