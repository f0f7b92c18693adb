#include "asset/asset.h"

#include "base/check.h"
#include "http/url.h"

#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

static const char *const visibility_names[VISIBILITY_COUNT] = {
	[VISIBILITY_PUBLIC] = "public",
	[VISIBILITY_SIGNED] = "signed",
	[VISIBILITY_GONE] = "gone",
};

bool
asset_id_is_valid(struct span id)
{
	if (id.length < 1 || id.length > ASSET_ID_MAX)
		return false;
	for (size_t i = 0; i < id.length; i++) {
		char c = id.at[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '_' || c == '-'))
			return false;
	}
	return true;
}

bool
asset_is_alive(const struct asset *asset, int64_t now, struct failure *why)
{
	if (asset->visibility == VISIBILITY_GONE)
		return fail(why, FAIL_GONE, "the asset was taken down");
	if (asset->expires != 0 && now >= asset->expires)
		return fail(why, FAIL_GONE, "the asset has expired");
	return true;
}

bool
asset_is_animated(const struct asset *asset)
{
	return asset->frames > 1 && (asset->media == MEDIA_GIF || asset->media == MEDIA_WEBP);
}

void
asset_upright_size(const struct asset *asset, unsigned *width, unsigned *height)
{
	bool is_on_its_side = asset->orientation >= 5 && asset->orientation <= 8;

	*width = is_on_its_side ? asset->height : asset->width;
	*height = is_on_its_side ? asset->width : asset->height;
}

void
asset_geometry_source(const struct asset *asset, const struct recipe *recipe, struct geometry_source *source)
{
	geometry_source_init(source, recipe, asset->width, asset->height, asset->orientation, asset->media);
}

const char *
asset_visibility_name(enum asset_visibility visibility)
{
	CHECK(visibility >= VISIBILITY_PUBLIC && visibility < VISIBILITY_COUNT);
	return visibility_names[visibility];
}

bool
asset_visibility_find(struct span name, enum asset_visibility *visibility)
{
	for (enum asset_visibility i = VISIBILITY_PUBLIC; i < VISIBILITY_COUNT; i++) {
		if (span_equals(name, visibility_names[i])) {
			*visibility = i;
			return true;
		}
	}
	return false;
}

/* ---- the printed form -------------------------------------------------------------- */

/* To be raised with every change of the table below. */
static const char first_line[] = "vitrine-asset 2";
static const char last_line[] = "end";

enum field_kind {
	FIELD_STRING,
	FIELD_U64,
	FIELD_I64,
	FIELD_UNSIGNED,
	FIELD_BOOL,
	FIELD_FRACTION,
	FIELD_MEDIA,
	FIELD_VISIBILITY
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	size_t size;		/* strings: of the array */
	uint64_t min, max;	/* unsigned */
};

#define AT(member) offsetof(struct asset, member)
#define STRING(member) { #member, FIELD_STRING, AT(member), sizeof(((struct asset *)0)->member), 0, 0 }
#define PLAIN(member, kind) { #member, kind, AT(member), 0, 0, 0 }
#define UNSIGNED(member, min, max) { #member, FIELD_UNSIGNED, AT(member), 0, min, max }

static const struct field fields[] = {
	STRING(id),
	STRING(origin),
	STRING(key),
	PLAIN(version, FIELD_U64),
	PLAIN(bytes, FIELD_U64),
	STRING(etag),
	PLAIN(media, FIELD_MEDIA),
	UNSIGNED(width, 0, UINT_MAX),
	UNSIGNED(height, 0, UINT_MAX),
	UNSIGNED(frames, 0, UINT_MAX),
	UNSIGNED(orientation, 1, 8),
	PLAIN(has_alpha, FIELD_BOOL),
	PLAIN(is_progressive, FIELD_BOOL),
	PLAIN(visibility, FIELD_VISIBILITY),
	PLAIN(has_focus, FIELD_BOOL),
	PLAIN(focus_x, FIELD_FRACTION),
	PLAIN(focus_y, FIELD_FRACTION),
	STRING(watermark),
	STRING(credit),
	PLAIN(credit_is_imposed, FIELD_BOOL),
	STRING(colours),
	STRING(blurhash),
	STRING(thumbhash),
	STRING(placeholder),
	STRING(owner),
	PLAIN(created, FIELD_I64),
	PLAIN(updated, FIELD_I64),
	PLAIN(expires, FIELD_I64),
};

enum { FIELD_COUNT = sizeof(fields) / sizeof(fields[0]) };

static void
print_value(const struct field *field, const void *value, struct text *out)
{
	switch (field->kind) {
	case FIELD_STRING:
		url_encode(span_of(value), "/", out);
		break;
	case FIELD_U64:
		text_printf(out, "%" PRIu64, *(const uint64_t *)value);
		break;
	case FIELD_I64:
		text_printf(out, "%" PRId64, *(const int64_t *)value);
		break;
	case FIELD_UNSIGNED:
		text_printf(out, "%u", *(const unsigned *)value);
		break;
	case FIELD_BOOL:
		text_add_char(out, *(const bool *)value ? '1' : '0');
		break;
	case FIELD_FRACTION:
		text_add_double(out, *(const double *)value);
		break;
	case FIELD_MEDIA:
		text_add(out, media_extension(*(const enum media *)value));
		break;
	case FIELD_VISIBILITY:
		text_add(out, asset_visibility_name(*(const enum asset_visibility *)value));
		break;
	}
}

void
asset_print(const struct asset *asset, struct text *out)
{
	text_printf(out, "%s\n", first_line);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		text_printf(out, "%s ", fields[i].name);
		print_value(&fields[i], (const char *)asset + fields[i].offset, out);
		text_add_char(out, '\n');
	}
	text_printf(out, "%s\n", last_line);
}

/* A string without NUL that fits the array. */
static bool
parse_string(struct span text, char *value, size_t size)
{
	char decoded[3 * ASSET_KEY_MAX];
	size_t length;

	if (text.length > sizeof(decoded) || !url_decode(text, decoded, &length) || length >= size ||
	    memchr(decoded, '\0', length) != NULL)
		return false;
	memcpy(value, decoded, length);
	value[length] = '\0';
	return true;
}

static bool
parse_value(const struct field *field, struct span text, void *value)
{
	uint64_t number;

	switch (field->kind) {
	case FIELD_STRING:
		return parse_string(text, value, field->size);
	case FIELD_U64:
		return span_to_u64(text, 0, UINT64_MAX, value);
	case FIELD_I64:
		return span_to_i64(text, INT64_MIN, INT64_MAX, value);
	case FIELD_UNSIGNED:
		if (!span_to_u64(text, field->min, field->max, &number))
			return false;
		*(unsigned *)value = (unsigned)number;
		return true;
	case FIELD_BOOL:
		*(bool *)value = span_equals(text, "1");
		return true;
	case FIELD_FRACTION:
		return span_to_double(text, 0, 1, value);
	case FIELD_MEDIA:
		*(enum media *)value = media_of_extension(text);
		return true;
	case FIELD_VISIBILITY:
		return asset_visibility_find(text, value);
	}
	return false;
}

static bool
parse_fields(struct span text, struct asset *asset)
{
	if (!span_equals(span_cut(&text, '\n'), first_line))
		return false;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		struct span value = span_cut(&text, '\n');
		struct span name = span_cut(&value, ' ');

		if (!span_equals(name, fields[i].name) || value.at == NULL ||
		    !parse_value(&fields[i], value, (char *)asset + fields[i].offset))
			return false;
	}
	return asset_id_is_valid(span_of(asset->id));
}

/* The surest way to accept only what we print is to print it again: no second
 * spelling of a number or an escape, no unknown word, nothing after the end. */
static bool
is_printed_as(const struct asset *asset, struct span text)
{
	struct arena *arena = arena_new();
	struct text printed;
	bool is_same;

	text_init(&printed, arena, ASSET_PRINTED_MAX);
	asset_print(asset, &printed);
	is_same = !printed.was_cut && span_equals(text, printed.at);
	arena_free(arena);
	return is_same;
}

bool
asset_parse(struct span text, struct asset *asset)
{
	struct asset row;

	memset(&row, 0, sizeof(row));
	if (!parse_fields(text, &row) || !is_printed_as(&row, text))
		return false;
	*asset = row;
	return true;
}
