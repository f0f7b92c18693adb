/*
 * faulty.js - an S3 that misbehaves on purpose.
 *
 *	node faulty.js [--port 0] [--upstream PORT] [--page-size 1000] [--token TOKEN]
 *	    [--ready-file FILE] [--outlive-starter]
 *
 * Alone it keeps objects in memory; with --upstream it stands before a real S3
 * and passes on what it does not spoil.  Signatures are verified (sigv4.js);
 * key id and secret are S3RVER.  Its start and end: life.js.
 *
 * How it misbehaves is the first part of the object key (of the prefix, for a
 * listing): GET /media/truncated-100/any.  Or GET /-/mode?MODE sets it for all
 * requests, until /-/mode?none.  GET /-/seen tells as JSON what was asked, on
 * which connection.  Objects that were never stored have 100000 bytes of "x".
 */
'use strict';

const http = require('http');
const { createHash } = require('crypto');
const { parseArgs } = require('util');
const life = require('./life.js');
const { verify, regionOf, timeOf, encode } = require('./sigv4.js');

const { values: options } = parseArgs({
	options: {
		...life.options,
		upstream: { type: 'string' },
		'page-size': { type: 'string', default: '1000' },
		token: { type: 'string' },
	},
});

const content = Buffer.alloc(100000, 'x');
const objects = new Map();	/* "bucket/key", raw and still encoded, to bytes */
const times = new Map();	/* how often each spoiled thing was asked for */
const seen = [];
let connections = 0;
let modeOfAll = null;

/* ---- answers -------------------------------------------------------------------- */

function sendError(response, status, code, { headers = {}, extra = '' } = {}) {
	const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code>` +
		`<Message>on purpose</Message>${extra}<RequestId>1</RequestId></Error>`;

	response.writeHead(status, { 'content-type': 'application/xml',
		'content-length': Buffer.byteLength(body), ...headers });
	response.end(response.req.method === 'HEAD' ? '' : body);
}

function describe(bytes) {
	return { 'content-length': bytes.length, 'last-modified': 'Fri, 24 May 2013 00:00:00 GMT',
		etag: `"${createHash('md5').update(bytes).digest('hex')}"` };
}

function sendObject(response, bytes) {
	const isHead = response.req.method === 'HEAD';

	if (response.req.headers.range && !isHead) {
		response.writeHead(206, { ...describe(bytes.subarray(0, 1)) });
		response.end(bytes.subarray(0, 1));
		return;
	}
	response.writeHead(200, describe(bytes));
	response.end(isHead ? '' : bytes);
}

/* Head and body as raw bytes, for what node would not let us send. */
function sendRaw(response, lines, bytes) {
	response.socket.write(`${['HTTP/1.1 200 OK', 'etag: "raw"', ...lines].join('\r\n')}\r\n\r\n`);
	response.socket.write(bytes);
}

function sendListing(response, bucket, query) {
	const prefix = `${bucket}/${query.get('prefix') ?? ''}`;
	const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString();
	const form = (key) => encode(key).replace(/%20/g, '+').replace(/%2F/g, '/');
	const limit = Math.min(Number(options['page-size']), Number(query.get('max-keys') ?? 1000));
	const keys = [...objects.keys()].map(decodeURIComponent).filter((key) => key.startsWith(prefix))
		.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
	const rest = after === '' ? keys : keys.filter((key) =>
		Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
	const page = rest.slice(0, limit);
	const next = Buffer.from(page.at(-1) ?? '').toString('base64');
	const isTruncated = rest.length > page.length;
	const body = `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3/">` +
		`<Name>${bucket}</Name><EncodingType>url</EncodingType><IsTruncated>${isTruncated}</IsTruncated>` +
		(isTruncated ? `<NextContinuationToken>${next}</NextContinuationToken>` : '') +
		page.map((key) => `<Contents><Key>${form(key.slice(bucket.length + 1))}</Key>` +
			'<LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>' +
			`<Size>${objects.get(key.split('/').map(encode).join('/')).length}</Size></Contents>`).join('') +
		'</ListBucketResult>';

	response.writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
	response.end(body);
}

/* ---- misbehaviour --------------------------------------------------------------- */

function isAmongFirst(request, count) {
	const done = (times.get(request.url) ?? 0) + 1;

	times.set(request.url, done);
	return done <= count;
}

/* The first bytes of an object, and what becomes of the connection then.  (The
 * response forgets its socket when the client is gone.) */
function sendStart(response, count, then) {
	const { socket } = response;

	response.writeHead(200, describe(content));
	response.write(content.subarray(0, count), () => then(socket));
}

function trickle(response, bytesPerSecond) {
	response.writeHead(200, describe(content));
	const timer = setInterval(() => response.write('x'.repeat(Math.max(1, bytesPerSecond / 10))), 100);
	response.on('close', () => clearInterval(timer));
}

function endlessHeaders(response) {
	const { socket } = response;

	socket.write('HTTP/1.1 200 OK\r\n');
	const timer = setInterval(() => socket.write(`x-padding: ${'p'.repeat(4000)}\r\n`), 5);
	socket.on('close', () => clearInterval(timer));
}

/* Each takes (response, argument, request); true when it has answered (or never
 * will), anything else lets the request through. */
const modes = {
	none: () => false,
	slowdown: (r, n, q) => isAmongFirst(q, n) && (sendError(r, 503, 'SlowDown'), true),
	error: (r, n, q) => isAmongFirst(q, n) && (sendError(r, 500, 'InternalError'), true),
	unavailable: (r) => (sendError(r, 503, 'ServiceUnavailable'), true),
	denied: (r) => (sendError(r, 403, 'AccessDenied'), true),
	status: (r, n) => (r.writeHead(n, { 'content-length': 0 }), r.end(), true),
	garbage: (r, n) => (r.writeHead(n), r.end('<Error><Code>NoSuchKey</Code'.replace('Such', '<<&')), true),
	longerror: (r, n) => (r.writeHead(n), r.end('<'.repeat(1 << 20)), true),
	silent: () => true,
	stall: (r, n) => (sendStart(r, n, () => {}), true),
	truncated: (r, n) => (sendStart(r, n, (socket) => socket.end()), true),
	truncatedonce: (r, n, q) => isAmongFirst(q, 1) && modes.truncated(r, n),
	reset: (r, n) => (sendStart(r, n, (socket) => setTimeout(() => socket.resetAndDestroy(), 50)), true),
	resetonce: (r, n, q) => isAmongFirst(q, 1) && modes.reset(r, n),
	hangup: (r) => (r.socket.destroy(), true),
	trickle: (r, n) => (trickle(r, n), true),
	moved: (r, region, q) => regionOf(q) !== region && (sendError(r, 301, 'PermanentRedirect',
		{ headers: { 'x-amz-bucket-region': region, location: 'http://127.0.0.1:1/' } }), true),
	movedforever: (r) => (sendError(r, 307, 'TemporaryRedirect',
		{ headers: { 'x-amz-bucket-region': `r-${Date.now()}` } }), true),
	misdirected: (r, region, q) => regionOf(q) !== region && (sendError(r, 400,
		'AuthorizationHeaderMalformed', { extra: `<Region>${region}</Region>` }), true),
	evilregion: (r) => (sendError(r, 301, 'PermanentRedirect',
		{ headers: { 'x-amz-bucket-region': 'a.evil.example/' } }), true),
	skewed: (r, seconds, q) => Math.abs(timeOf(q) - (Date.now() + seconds * 1000)) > 900000 &&
		(sendError(r, 403, 'RequestTimeTooSkewed',
			{ headers: { date: new Date(Date.now() + seconds * 1000).toUTCString() } }), true),
	nodate: (r) => { r.sendDate = false; sendError(r, 403, 'RequestTimeTooSkewed'); return true; },
	expired: (r) => (sendError(r, 400, 'ExpiredToken'), true),
	nolength: (r) => (sendRaw(r, ['connection: close'], content), r.socket.end(), true),
	chunked: (r) => (r.writeHead(200, { etag: '"chunked"' }), r.end(content), true),
	cutchunked: (r) => (sendRaw(r, ['transfer-encoding: chunked'], `ffff\r\n${'x'.repeat(0xffff)}\r\n`),
		r.socket.end(), true),
	hugechunked: (r) => { r.writeHead(200); for (let i = 0; i < 20; i++) r.write(content); r.end(); return true; },
	badlength: (r) => (sendRaw(r, ['content-length: 12abc'], content), r.socket.end(), true),
	twolengths: (r) => (sendRaw(r, ['content-length: 100000', 'content-length: 5'], content),
		r.socket.end(), true),
	shortlength: (r) => (sendRaw(r, ['content-length: 5'], content), true),
	hugelength: (r) => (r.writeHead(200, { 'content-length': 1e12 }), r.write(content), true),
	nohttp: (r) => (r.socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'), true),
	headers: (r) => (endlessHeaders(r), true),
	endless: (r) => (sendListingThatGoesInCircles(r), true),
	foreign: (r) => (sendListingOf(r, '<Contents><Key>../../etc/passwd</Key>' +
		'<LastModified>2013-05-24T00:00:00Z</LastModified><Size>1</Size></Contents>'), true),
};

function sendListingOf(response, contents, isTruncated = false) {
	response.writeHead(200);
	response.end(`<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>` +
		`<NextContinuationToken>same</NextContinuationToken>${contents}</ListBucketResult>`);
}

function sendListingThatGoesInCircles(response) {
	sendListingOf(response, '', true);
}

/* "truncated-100" in the key, or what was set for all. */
function findMode(key) {
	const [, name, argument] = /^([a-z]+)(?:-([a-z0-9-]+))?$/.exec(modeOfAll ?? key.split('/')[0]) ?? [];

	return modes[name] && ((response, request) =>
		modes[name](response, /^\d+$/.test(argument) ? Number(argument) : argument, request));
}

/* ---- the server ------------------------------------------------------------------ */

function control(request, response) {
	const [path, mode] = request.url.split('?');

	if (path === '/-/mode') modeOfAll = mode;
	response.end(JSON.stringify({ seen, connections }));
}

/* Bucket and key as they were sent; the bucket may be in the host name. */
function address(request) {
	const [path, query = ''] = request.url.split('?');
	const virtual = /^(.+)\.localhost(:\d+)?$/.exec(request.headers.host ?? '')?.[1];
	const whole = virtual ? `${virtual}${path}` : path.slice(1);
	const slash = whole.indexOf('/');

	return { whole, bucket: slash < 0 ? whole : whole.slice(0, slash),
		key: slash < 0 ? '' : whole.slice(slash + 1), query: new URLSearchParams(query) };
}

function passOn(request, response, body) {
	const onward = http.request({ host: '127.0.0.1', port: options.upstream, method: request.method,
		path: request.url, headers: request.headers }, (answer) => {
		response.writeHead(answer.statusCode, answer.headers);
		answer.pipe(response);
	});

	onward.on('error', () => response.destroy());
	onward.end(body);
}

function serve(request, response, body) {
	if (!response.socket) return;	/* the client has gone */

	const { whole, bucket, key, query } = address(request);
	const mode = findMode(key !== '' ? key : query.get('prefix') ?? '');
	const wrong = verify(request, { id: 'S3RVER', secret: 'S3RVER', token: options.token });

	seen.push({ method: request.method, url: request.url, region: regionOf(request),
		connection: request.socket.number, wrong });
	if (wrong) {
		sendError(response, 403, wrong === 'unknown key id' ? 'InvalidAccessKeyId' : 'SignatureDoesNotMatch');
	} else if (mode?.(response, request)) {
		/* spoiled */
	} else if (options.upstream) {
		passOn(request, response, body);
	} else if (request.method === 'PUT') {
		if (createHash('sha256').update(body).digest('hex') !== request.headers['x-amz-content-sha256']) {
			sendError(response, 400, 'XAmzContentSHA256Mismatch');
			return;
		}
		objects.set(whole, body);
		response.writeHead(200, { etag: describe(body).etag, 'content-length': 0 });
		response.end();
	} else if (key === '') {
		sendListing(response, bucket, query);
	} else if (objects.has(whole) || mode) {
		sendObject(response, objects.get(whole) ?? content);
	} else {
		sendError(response, 404, 'NoSuchKey');
	}
}

const server = http.createServer((request, response) => {
	const pieces = [];

	if (request.url.startsWith('/-/')) {
		control(request, response);
		return;
	}
	request.on('data', (piece) => pieces.push(piece));
	request.on('end', () => serve(request, response, Buffer.concat(pieces)));
	request.on('error', () => {});
});

server.keepAliveTimeout = 60000;
server.on('connection', (socket) => {
	socket.number = ++connections;
	socket.on('error', () => {});
});
life.endWithStarter(options);
server.listen(Number(options.port), '127.0.0.1', () => life.announce(options, server.address().port));
