#include "settings/settings_table.h"

#include <stddef.h>

#define AT(field) offsetof(struct settings, field)
#define ORIGIN_AT(field) offsetof(struct origin_config, field)
#define WATERMARK_AT(field) offsetof(struct watermark, field)

static const char *const send_methods[] = { "body", "accel", "sendfile", NULL };
static const char *const unsigned_choices[] = { "ladder", "presets", "any", "none", NULL };
static const char *const origin_kinds[] = { "s3", "directory", NULL };
_Static_assert(sizeof(enum send_method) == sizeof(unsigned) &&
    sizeof(enum policy_unsigned) == sizeof(unsigned) &&
    sizeof(enum origin_kind) == sizeof(unsigned) &&
    sizeof(enum recipe_gravity) == sizeof(unsigned), "choices are stored as unsigned");

/* In the order of enum recipe_gravity, from GRAVITY_NORTH on. */
static const char *const positions[] = { "n", "ne", "e", "se", "s", "sw", "w", "nw", "c", NULL };

#define MILLION 1000000
#define GIGABYTES(n) ((uint64_t)(n) << 30)

const struct setting settings_table[] = {
	{ "server", "listen", SETTING_TEXT, AT(server.listen), 0, 0, "unix:/run/vitrine/fastcgi.sock", NULL,
	  "Where the web server finds us: unix:/path, or address:port. Only the web server may be able to "
	  "reach it. A socket handed over by systemd or mod_fcgid takes its place." },
	{ "server", "socket_mode", SETTING_OCTAL, AT(server.socket_mode), 0, 0777, "0660", NULL,
	  "Mode of the unix socket." },
	{ "server", "socket_group", SETTING_TEXT, AT(server.socket_group), 0, 0, "", NULL,
	  "Group of the unix socket, so that the web server may connect; empty: our own." },
	{ "server", "responders", SETTING_UNSIGNED, AT(server.responders), 1, 512, "64", NULL,
	  "Processes that answer requests, one at a time each. They mostly wait, so there are many more "
	  "than cores." },
	{ "server", "slow_responders", SETTING_UNSIGNED, AT(server.slow_responders), 1, 512, "48", NULL,
	  "How many of them may be fetching or rendering at once, or wait for it; the others stay free for hits." },
	{ "server", "row_lifetime_ms", SETTING_UNSIGNED, AT(server.row_lifetime_ms), 0, 60000, "1000", NULL,
	  "What the catalog said of an asset is believed for so long without asking again; a purge holds within it. "
	  "That there is none is believed for a second at most." },
	{ "server", "share_bytes", SETTING_BYTES, AT(server.share_bytes), 0, 900 * 1000, "100K", NULL,
	  "Variants up to this size are shared with the other servers through memcached, and made by one of them; "
	  "0: each server works alone." },
	{ "server", "request_timeout_ms", SETTING_UNSIGNED, AT(server.request_timeout_ms), 100, 300000, "20000", NULL,
	  "A request older than this is given up, whatever it is waiting for. The web server's own "
	  "timeout must be longer." },
	{ "server", "drain_s", SETTING_UNSIGNED, AT(server.drain_s), 0, 300, "0", NULL,
	  "After SIGTERM, /health answers 503 for this long while requests are still served, so that a "
	  "load balancer can take us out." },
	{ "server", "requests_per_responder", SETTING_UNSIGNED, AT(server.requests_per_responder), 0,
	  1000 * MILLION, "100000",
	  NULL,
	  "A responder is replaced after so many requests, give or take a tenth; 0: never." },
	{ "server", "url_prefix", SETTING_TEXT, AT(server.url_prefix), 0, 0, "", NULL,
	  "What stands before /a/ and /s/ in the paths the web server sends, such as /assets." },

	{ "http", "send", SETTING_CHOICE, AT(http.send), 0, 0, "body", send_methods,
	  "How a file reaches the client: through FastCGI, or by an internal redirect of nginx "
	  "(X-Accel-Redirect) or of mod_xsendfile and lighttpd (X-Sendfile)." },
	{ "http", "accel_prefix", SETTING_TEXT, AT(http.accel_prefix), 0, 0, "/vitrine-store/", NULL,
	  "With send = accel: the internal location whose alias is the store's root." },
	{ "http", "max_age_s", SETTING_UNSIGNED, AT(http.max_age_s), 0, 31536000, "86400", NULL,
	  "How long a browser or CDN may keep a picture without asking again." },
	{ "http", "interim_max_age_s", SETTING_UNSIGNED, AT(http.interim_max_age_s), 0, 31536000, "60", NULL,
	  "The same while a better format of it is being made: see ahead." },
	{ "http", "error_max_age_s", SETTING_UNSIGNED, AT(http.error_max_age_s), 0, 3600, "60", NULL,
	  "The same for answers 400, 404, 410, 415 and 422. Answers 403 and 5xx are never kept." },
	{ "http", "auto_formats", SETTING_FORMATS, AT(http.auto_formats), 0, 0, "avif webp", NULL,
	  "What .auto chooses among, best first, for clients that name them in Accept; otherwise JPEG, or "
	  "PNG for transparent images." },
	{ "http", "save_data", SETTING_BOOLEAN, AT(http.obeys_save_data), 0, 0, "yes", NULL,
	  "Whether clients that send Save-Data: on get .auto pictures of lower quality." },
	{ "http", "client_hints", SETTING_BOOLEAN, AT(http.uses_client_hints), 0, 0, "no", NULL,
	  "Whether Sec-CH-Width (Width) and Sec-CH-DPR (DPR) fill in what the URL of an .auto picture leaves open." },
	{ "http", "allow_origin", SETTING_TEXT, AT(http.allow_origin), 0, 0, "*", NULL,
	  "Access-Control-Allow-Origin of every answer: which sites' scripts may read pictures and info.json, "
	  "and why not; empty: none." },

	{ "policy", "unsigned", SETTING_CHOICE, AT(policy.unsigned_urls), 0, 0, "ladder", unsigned_choices,
	  "What URLs without a token reach of public assets: presets and the widths of the ladder, "
	  "presets only, any recipe, or nothing." },
	{ "policy", "ladder", SETTING_WIDTHS, AT(policy.ladder), 1, RECIPE_SIDE_MAX,
	  "160 320 480 640 960 1280 1600 1920 2560", NULL,
	  "The widths in pixels that unsigned URLs may ask for." },
	{ "policy", "default_preset", SETTING_TEXT, AT(default_preset), 0, 0, "", NULL,
	  "A preset that holds before whatever a URL asks, except for original; empty: none." },

	{ "credit", "font", SETTING_STRING, AT(dressing.credit.font), 0, CAPTION_FONT_MAX, "DejaVu Sans", NULL,
	  "Of credits and of text=: a Pango font description without size, such as DejaVu Sans Bold." },
	{ "credit", "size", SETTING_FRACTION, AT(dressing.credit.size), 5, 500, "0.03", NULL,
	  "Height of the letters (1 em), as a fraction of the result's shorter side." },
	{ "credit", "colour", SETTING_COLOUR, AT(dressing.credit.colour), 0, 0, "ffffff", NULL,
	  "Colour of the letters." },
	{ "credit", "shadow", SETTING_COLOUR, AT(dressing.credit.shadow), 0, 0, "000000b3", NULL,
	  "Colour of the shadow, so that letters can be read on any picture; transparent: none." },
	{ "credit", "position", SETTING_CHOICE, AT(dressing.credit.position), GRAVITY_NORTH, 0, "sw", positions,
	  "Side, corner or centre where the credit stands." },
	{ "credit", "margin", SETTING_FRACTION, AT(dressing.credit.margin), 0,
	  (uint64_t)(1000 * CAPTION_MARGIN_MAX), "0.02", NULL,
	  "Distance from the edge, as a fraction of the result's shorter side." },
	{ "credit", "min_width", SETTING_UNSIGNED, AT(dressing.credit.min_width), 0, RECIPE_SIDE_MAX, "200", NULL,
	  "Results that are narrower have no credit, except parts of a picture whose credit is imposed." },
	{ "credit", "min_height", SETTING_UNSIGNED, AT(dressing.credit.min_height), 0, RECIPE_SIDE_MAX, "100", NULL,
	  "The same for results that are lower." },
	{ "credit", "always", SETTING_BOOLEAN, AT(dressing.credit_is_imposed), 0, 0, "no", NULL,
	  "Whether the credit is drawn on every picture of every asset that has one, whatever the URL says." },

	{ "render", "program", SETTING_PATH, AT(render.process.program), 0, 0, "", NULL,
	  "Path of vitrine-renderer; empty: beside this program." },
	{ "render", "renderers", SETTING_UNSIGNED, AT(render.renderers), 0, 256, "0", NULL,
	  "Processes that decode and encode; 0: as many as cores." },
	{ "render", "queue", SETTING_UNSIGNED, AT(render.queue), 1, 4096, "64", NULL,
	  "Jobs that may wait for a renderer." },
	{ "render", "timeout_ms", SETTING_UNSIGNED, AT(render.timeout_ms), 100, 300000, "15000", NULL,
	  "A job that takes longer is ended by the kernel." },
	{ "render", "backlog_ms", SETTING_UNSIGNED, AT(render.backlog_ms), 1000, MILLION, "8000", NULL,
	  "Estimated work that may be begun or wait, for each renderer; beyond it the answer is 503 at once." },
	{ "render", "heavy_ms", SETTING_UNSIGNED, AT(render.heavy_ms), 1, MILLION, "2000", NULL,
	  "Jobs estimated to take longer than this never occupy the last renderer." },
	{ "render", "ahead", SETTING_UNSIGNED, AT(render.ahead), 0, 256, "1", NULL,
	  "An .auto picture whose best format takes long to make, which is AVIF, is first answered in the next "
	  "one; so many at once are then made by renderers that have nothing else to do, for those who ask "
	  "later. 0: the first one waits." },
	{ "render", "max_megapixels", SETTING_UNSIGNED, AT(render.max_megapixels), 1, 10000, "150", NULL,
	  "Larger originals (width x height) are refused after reading only their header; larger results "
	  "before they are made." },
	{ "render", "max_animation_megapixels", SETTING_UNSIGNED, AT(render.max_animation_megapixels), 1, 10000, "50",
	  NULL,
	  "The same for animations, all frames together (width x height x frames)." },
	{ "render", "max_frames", SETTING_UNSIGNED, AT(render.max_frames), 1, MILLION, "1000", NULL,
	  "Animations with more frames, and files with more pages, are refused." },
	{ "render", "max_output_bytes", SETTING_BYTES, AT(render.process.max_output_bytes), 1024, GIGABYTES(4), "64M",
	  NULL,
	  "Larger results are refused." },
	{ "render", "memory_mb", SETTING_UNSIGNED, AT(render.process.memory_mb), 0, 1024 * 1024, "4096", NULL,
	  "Address space of a renderer in MiB; 0: no limit." },
	{ "render", "recycle_memory_mb", SETTING_UNSIGNED, AT(render.process.recycle_memory_mb), 0,
	  1024 * 1024, "256", NULL,
	  "A renderer that holds more MiB than this after a job gives back what it keeps for later, and is "
	  "replaced when that was not enough; 0: never." },
	{ "render", "jobs_per_renderer", SETTING_UNSIGNED, AT(render.process.jobs), 0, MILLION, "1000", NULL,
	  "A renderer is replaced after so many jobs, give or take a tenth; 0: never." },
	{ "render", "sandbox", SETTING_CHOICE, AT(render.process.sandbox), 0, 0, "preferred", sandbox_wishes,
	  "Whether renderers shut themselves in before the first job: as far as the kernel can, only if it can do "
	  "all of it (otherwise Vitrine does not start), or not at all." },

	{ "store", "root", SETTING_PATH, AT(store.root), 1, 0, "/var/cache/vitrine", NULL,
	  "Folder of the local store, on a file system with extended attributes." },
	{ "store", "max_original_bytes", SETTING_BYTES, AT(store.max_original_bytes), MILLION, UINT64_MAX, "10G", NULL,
	  "Room for originals; the least recently used are evicted." },
	{ "store", "max_variant_bytes", SETTING_BYTES, AT(store.max_variant_bytes), MILLION, UINT64_MAX, "20G", NULL,
	  "Room for variants; the least recently used are evicted." },
	{ "store", "max_note_bytes", SETTING_BYTES, AT(store.max_note_bytes), MILLION, UINT64_MAX, "1G", NULL,
	  "Room for what was last known of assets, about 1 kB each, in blocks of the file system." },

	{ "catalog", "primary", SETTING_SERVER, AT(catalog.primary), 0, 0, "127.0.0.1:3306", NULL,
	  "The database that takes writes: host:port, or the path of a unix socket. A name is "
	  "looked up whenever a connection is opened, so it may move to a new primary." },
	{ "catalog", "replicas", SETTING_SERVERS, AT(catalog.replicas), 0, 0, "", NULL,
	  "The databases that are read, separated by spaces; none: the primary." },
	{ "catalog", "database", SETTING_TEXT, AT(catalog.primary.name), 0, 0, "vitrine", NULL,
	  "Name of the database." },
	{ "catalog", "user", SETTING_TEXT, AT(catalog.primary.user), 0, 0, "vitrine", NULL,
	  "User, the same on all servers." },
	{ "catalog", "password", SETTING_SECRET, AT(catalog.primary.password), 0, 0, "", NULL,
	  "Password of that user." },
	{ "catalog", "tls_ca", SETTING_PATH, AT(catalog.primary.tls_ca), 0, 0, "", NULL,
	  "Certificate authority of the servers; when set, connections are encrypted and the server's "
	  "name is verified." },
	{ "catalog", "connect_timeout_ms", SETTING_UNSIGNED, AT(catalog.primary.connect_timeout_ms), 10, 60000,
	  "1000", NULL,
	  "A connection that takes longer has failed." },
	{ "catalog", "query_timeout_ms", SETTING_UNSIGNED, AT(catalog.primary.query_timeout_ms), 10, 60000, "500", NULL,
	  "A query that takes longer has failed." },
	{ "catalog", "retry_after_ms", SETTING_UNSIGNED, AT(catalog.retry_after_ms), 100, 600000, "2000", NULL,
	  "A server that failed is left alone for this long." },
	{ "catalog", "max_lag_s", SETTING_UNSIGNED, AT(catalog.max_lag_s), 0, 86400, "10", NULL,
	  "A replica that is further behind the primary than this is not believed; 0: do not look, and keep "
	  "no heartbeat." },
	{ "catalog", "connection_age_s", SETTING_UNSIGNED, AT(catalog.connection_age_s), 1, 86400, "300", NULL,
	  "Connections are renewed after this, so that a moved address is noticed." },
	{ "catalog", "soft_lifetime_s", SETTING_UNSIGNED, AT(catalog.soft_lifetime_s), 1, 86400, "60", NULL,
	  "A row in the ring that is older than this is refreshed by one process." },
	{ "catalog", "hard_lifetime_s", SETTING_UNSIGNED, AT(catalog.hard_lifetime_s), 1, 2592000, "86400", NULL,
	  "A row in the ring vanishes after this." },
	{ "catalog", "negative_lifetime_s", SETTING_UNSIGNED, AT(catalog.negative_lifetime_s), 1, 600, "20", NULL,
	  "An asset that does not exist is remembered as missing for this long." },

	{ "peers", "servers", SETTING_TEXT, AT(peers.servers), 0, 0, "", NULL,
	  "The memcached ring: address:port, separated by commas, in the same spelling on every server; "
	  "empty: none." },
	{ "peers", "connect_timeout_ms", SETTING_UNSIGNED, AT(peers.connect_timeout_ms), 1, 10000, "50", NULL,
	  "A peer that takes longer is down." },
	{ "peers", "timeout_ms", SETTING_UNSIGNED, AT(peers.timeout_ms), 1, 10000, "100", NULL,
	  "An answer that takes longer is a miss." },
	{ "peers", "retry_after_s", SETTING_UNSIGNED, AT(peers.retry_after_s), 1, 600, "2", NULL,
	  "A peer that is down is tried again after this." },
	{ "peers", "namespace", SETTING_TEXT, AT(peers.namespace), 0, 0, "vitrine", NULL,
	  "Stands before every key, so that clusters can share servers: 1 to 32 letters, digits, - and _." },
	{ "peers", "secret", SETTING_SECRET, AT(peers.secret), 0, 0, "", NULL,
	  "Seals what is kept there: nothing is believed that was not written with it. At least 16 bytes, the same on "
	  "every server; empty: whoever can write to a memcached is believed. Changing it empties the ring." },
};

const unsigned settings_table_count = sizeof(settings_table) / sizeof(settings_table[0]);

static const struct setting origin_rows[] = {
	{ "origin.NAME", "kind", SETTING_CHOICE, ORIGIN_AT(kind), 0, 0, "s3", origin_kinds,
	  "An S3 bucket, or a directory such as an NFS mount." },
	{ "origin.NAME", "max_bytes", SETTING_BYTES, ORIGIN_AT(max_bytes), 1024, GIGABYTES(64), "256M", NULL,
	  "Larger originals are refused." },
	{ "origin.NAME", "root", SETTING_PATH, ORIGIN_AT(root), 0, 0, "", NULL,
	  "Directory: its path. Nothing outside is ever opened." },
	{ "origin.NAME", "endpoint", SETTING_TEXT, ORIGIN_AT(endpoint), 0, 0, "https://s3.amazonaws.com", NULL,
	  "S3: scheme, host and port." },
	{ "origin.NAME", "region", SETTING_TEXT, ORIGIN_AT(region), 0, 0, "us-east-1", NULL,
	  "S3: region that signatures name." },
	{ "origin.NAME", "bucket", SETTING_TEXT, ORIGIN_AT(bucket), 0, 0, "", NULL,
	  "S3: bucket." },
	{ "origin.NAME", "path_style", SETTING_BOOLEAN, ORIGIN_AT(is_path_style), 0, 0, "no", NULL,
	  "S3: endpoint/bucket/key instead of bucket.endpoint/key." },
	{ "origin.NAME", "prefix", SETTING_TEXT, ORIGIN_AT(prefix), 0, 0, "", NULL,
	  "S3: put before every key." },
	{ "origin.NAME", "access_key_id", SETTING_TEXT, ORIGIN_AT(access_key_id), 0, 0, "", NULL,
	  "S3: empty: AWS_ACCESS_KEY_ID, then the shared credentials file." },
	{ "origin.NAME", "secret_access_key", SETTING_SECRET, ORIGIN_AT(secret_access_key), 0, 0, "", NULL,
	  "S3: the key's secret." },
	{ "origin.NAME", "session_token", SETTING_SECRET, ORIGIN_AT(session_token), 0, 0, "", NULL,
	  "S3: of temporary credentials." },
	{ "origin.NAME", "profile", SETTING_TEXT, ORIGIN_AT(profile), 0, 0, "", NULL,
	  "S3: profile in the shared credentials file." },
	{ "origin.NAME", "tls_ca", SETTING_PATH, ORIGIN_AT(tls_ca), 0, 0, "", NULL,
	  "S3: certificate authority of the endpoint; empty: the system's." },
	{ "origin.NAME", "connect_timeout_ms", SETTING_UNSIGNED, ORIGIN_AT(connect_timeout_ms), 10, 60000, "1000", NULL,
	  "S3: a connection that takes longer has failed." },
	{ "origin.NAME", "stall_timeout_ms", SETTING_UNSIGNED, ORIGIN_AT(stall_timeout_ms), 1000, 60000, "5000", NULL,
	  "S3: a transfer that stands still for this long has failed." },
	{ "origin.NAME", "tries", SETTING_UNSIGNED, ORIGIN_AT(tries), 1, 5, "3", NULL,
	  "S3: attempts, as far as the request's time allows." },
	{ "origin.NAME", "etag_is_md5", SETTING_BOOLEAN, ORIGIN_AT(etag_is_md5), 0, 0, "yes", NULL,
	  "S3: whether bytes are compared with an ETag that looks like an MD5. Not for stores whose ETags only "
	  "look so, such as directory buckets." },
	{ "origin.NAME", "retry_after_ms", SETTING_UNSIGNED, ORIGIN_AT(retry_after_ms), 100, 600000, "2000", NULL,
	  "S3: after it could not be reached, or failed three times in a row, it is left alone for this long." },
	{ "origin.NAME", "fallback", SETTING_TEXT, ORIGIN_AT(fallback_name), 0, 0, "", NULL,
	  "Another origin with the same keys, such as a backup, which is asked for what this one cannot give within "
	  "half of the time that is left; empty: none." },
};

static const struct setting watermark_rows[] = {
	{ "watermark.NAME", "asset", SETTING_TEXT, WATERMARK_AT(asset), 0, 0, "", NULL,
	  "The mark's picture is the original of this asset, whatever its visibility." },
	{ "watermark.NAME", "file", SETTING_PATH, WATERMARK_AT(file), 0, 0, "", NULL,
	  "Or this file on every server, read at start; replace it by rename, then reload." },
	{ "watermark.NAME", "position", SETTING_CHOICE, WATERMARK_AT(mark.position), GRAVITY_NORTH, 0, "se", positions,
	  "Side, corner or centre where the mark lies." },
	{ "watermark.NAME", "margin", SETTING_FRACTION, WATERMARK_AT(mark.margin), 0, 500, "0.03", NULL,
	  "Distance from the edge, and between tiles, as a fraction of the result's shorter side." },
	{ "watermark.NAME", "scale", SETTING_FRACTION, WATERMARK_AT(mark.scale), 10, 1000, "0.2", NULL,
	  "Width of the mark, as a fraction of the result's width; its height follows and is at most the "
	  "same fraction of the result's height." },
	{ "watermark.NAME", "opacity", SETTING_FRACTION, WATERMARK_AT(mark.opacity), 10, 1000, "1", NULL,
	  "How much of the mark's own opacity is left." },
	{ "watermark.NAME", "tile", SETTING_BOOLEAN, WATERMARK_AT(mark.is_tiled), 0, 0, "no", NULL,
	  "Whether the mark is repeated over the whole picture." },
	{ "watermark.NAME", "min_width", SETTING_UNSIGNED, WATERMARK_AT(mark.min_width), 0, RECIPE_SIDE_MAX, "0", NULL,
	  "Results that are narrower go without, except parts of a picture whose asset imposes the mark." },
	{ "watermark.NAME", "min_height", SETTING_UNSIGNED, WATERMARK_AT(mark.min_height), 0, RECIPE_SIDE_MAX, "0",
	  NULL,
	  "The same for results that are lower." },
};

const struct settings_family settings_families[] = {
	{
		.word = "origin",
		.alphabet = "abcdefghijklmnopqrstuvwxyz0123456789_",
		.name_max = ASSET_ORIGIN_MAX,
		.rows = origin_rows,
		.row_count = sizeof(origin_rows) / sizeof(origin_rows[0]),
		.items = AT(origins),
		.item_size = sizeof(struct origin_config),
		.count = AT(origin_count),
		.max = SETTINGS_ORIGINS_MAX,
	},
	{
		.word = "watermark",
		.alphabet = "abcdefghijklmnopqrstuvwxyz0123456789_-",
		.name_max = RECIPE_WATERMARK_MAX,
		.rows = watermark_rows,
		.row_count = sizeof(watermark_rows) / sizeof(watermark_rows[0]),
		.items = AT(dressing.watermarks),
		.item_size = sizeof(struct watermark),
		.count = AT(dressing.watermark_count),
		.max = WATERMARKS_MAX,
	},
};

const unsigned settings_family_count = sizeof(settings_families) / sizeof(settings_families[0]);

_Static_assert(sizeof(settings_families) / sizeof(settings_families[0]) <= FAMILIES_MAX &&
    (int)SETTINGS_ORIGINS_MAX <= (int)FAMILY_ITEMS_MAX && (int)WATERMARKS_MAX <= (int)FAMILY_ITEMS_MAX,
    "the loader has room for every item");
_Static_assert(ORIGIN_AT(name) == 0 && WATERMARK_AT(name) == 0, "items begin with their names");

/* settings.c fills what others only read. */
void *
settings_item(const struct settings *settings, const struct settings_family *family, unsigned i)
{
	return (char *)settings + family->items + i * family->item_size;
}

unsigned *
settings_item_count(const struct settings *settings, const struct settings_family *family)
{
	return (unsigned *)((char *)settings + family->count);
}

const char *
settings_item_name(const struct settings *settings, const struct settings_family *family, unsigned i)
{
	return *(const char **)settings_item(settings, family, i);
}
