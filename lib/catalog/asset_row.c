#include "catalog/asset_row.h"

#include "base/check.h"

#include <limits.h>
#include <string.h>

/* Reads columns one after another; the first wrong one is remembered. */
struct reader {
	const struct database_row *row;
	unsigned next;
	const char *wrong;	/* name of a column */
};

static const struct database_value *
read_value(struct reader *reader)
{
	CHECK(reader->next < reader->row->column_count);
	return &reader->row->columns[reader->next++];
}

static void
complain(struct reader *reader, const char *name)
{
	if (reader->wrong == NULL)
		reader->wrong = name;
}

static struct span
read_text(struct reader *reader, const char *name)
{
	const struct database_value *value = read_value(reader);

	if (value->type == DATABASE_TEXT)
		return value->text;
	complain(reader, name);
	return (struct span){ "", 0 };
}

/* size counts the NUL that the field ends in; so a NUL in the text is wrong too. */
static void
read_string(struct reader *reader, const char *name, char *field, size_t size)
{
	struct span text = read_text(reader, name);

	if (text.length >= size || memchr(text.at, '\0', text.length) != NULL) {
		complain(reader, name);
		text.length = 0;
	}
	memcpy(field, text.at, text.length);
	field[text.length] = '\0';
}

static int64_t
read_integer(struct reader *reader, const char *name, int64_t min, int64_t max)
{
	const struct database_value *value = read_value(reader);

	if (value->type == DATABASE_INTEGER && value->integer >= min && value->integer <= max)
		return value->integer;
	complain(reader, name);
	return min;
}

static bool
read_fraction(struct reader *reader, const char *name, double *fraction)
{
	const struct database_value *value = read_value(reader);

	if (value->type == DATABASE_NULL)
		return false;
	if (value->type == DATABASE_DOUBLE && value->real >= 0 && value->real <= 1)
		*fraction = value->real;
	else
		complain(reader, name);
	return true;
}

static enum media
read_media(struct reader *reader)
{
	enum media media = media_of_type(read_text(reader, "media_type"));

	if (media == MEDIA_NONE)
		complain(reader, "media_type");
	return media;
}

static enum asset_visibility
read_visibility(struct reader *reader)
{
	enum asset_visibility visibility = VISIBILITY_GONE;

	if (!asset_visibility_find(read_text(reader, "visibility"), &visibility))
		complain(reader, "visibility");
	return visibility;
}

bool
asset_row_read(const struct database_row *row, struct asset *asset, struct failure *why)
{
	struct reader reader = { .row = row };
	bool has_x, has_y;

	memset(asset, 0, sizeof(*asset));
	read_string(&reader, "id", asset->id, sizeof(asset->id));
	read_string(&reader, "origin", asset->origin, sizeof(asset->origin));
	read_string(&reader, "object_key", asset->key, sizeof(asset->key));
	asset->version = (uint64_t)read_integer(&reader, "version", 0, INT64_MAX);
	asset->bytes = (uint64_t)read_integer(&reader, "bytes", 0, INT64_MAX);
	read_string(&reader, "etag", asset->etag, sizeof(asset->etag));
	asset->media = read_media(&reader);
	asset->width = (unsigned)read_integer(&reader, "width", 0, UINT_MAX);
	asset->height = (unsigned)read_integer(&reader, "height", 0, UINT_MAX);
	asset->frames = (unsigned)read_integer(&reader, "frames", 1, UINT_MAX);
	asset->orientation = (unsigned)read_integer(&reader, "orientation", 1, 8);
	asset->has_alpha = read_integer(&reader, "has_alpha", 0, 1) == 1;
	asset->is_progressive = read_integer(&reader, "is_progressive", 0, 1) == 1;
	asset->visibility = read_visibility(&reader);
	has_x = read_fraction(&reader, "focus_x", &asset->focus_x);
	has_y = read_fraction(&reader, "focus_y", &asset->focus_y);
	asset->has_focus = has_x && has_y;
	if (has_x != has_y)
		complain(&reader, "focus_y");
	read_string(&reader, "watermark", asset->watermark, sizeof(asset->watermark));
	read_string(&reader, "credit", asset->credit, sizeof(asset->credit));
	asset->credit_is_imposed = read_integer(&reader, "credit_is_imposed", 0, 1) == 1;
	read_string(&reader, "colours", asset->colours, sizeof(asset->colours));
	read_string(&reader, "blurhash", asset->blurhash, sizeof(asset->blurhash));
	read_string(&reader, "thumbhash", asset->thumbhash, sizeof(asset->thumbhash));
	read_string(&reader, "placeholder", asset->placeholder, sizeof(asset->placeholder));
	read_string(&reader, "owner", asset->owner, sizeof(asset->owner));
	asset->created = read_integer(&reader, "created", INT64_MIN, INT64_MAX);
	asset->updated = read_integer(&reader, "updated", INT64_MIN, INT64_MAX);
	asset->expires = read_integer(&reader, "expires", 0, INT64_MAX);
	if (!asset_id_is_valid(span_of(asset->id)))
		complain(&reader, "id");
	if (reader.wrong != NULL)
		return fail(why, FAIL_UPSTREAM, "the row of asset %s has a wrong %s", asset->id, reader.wrong);
	return true;
}

/* ---- values ------------------------------------------------------------------------ */

static void
add_integer(struct database_value **next, uint64_t integer)
{
	CHECK(integer <= INT64_MAX);
	*(*next)++ = (struct database_value){ .type = DATABASE_INTEGER, .integer = (int64_t)integer };
}

static void
add_text(struct database_value **next, const char *text)
{
	*(*next)++ = (struct database_value){ .type = DATABASE_TEXT, .text = span_of(text) };
}

static void
add_focus(struct database_value **next, const struct asset *asset)
{
	enum database_type type = asset->has_focus ? DATABASE_DOUBLE : DATABASE_NULL;

	*(*next)++ = (struct database_value){ .type = type, .real = asset->focus_x };
	*(*next)++ = (struct database_value){ .type = type, .real = asset->focus_y };
}

/* bytes, etag, media_type, width, height, frames, orientation, has_alpha,
 * is_progressive, colours, blurhash, thumbhash, placeholder */
static void
add_object(struct database_value **next, const struct asset *asset)
{
	add_integer(next, asset->bytes);
	add_text(next, asset->etag);
	add_text(next, media_type(asset->media));
	add_integer(next, asset->width);
	add_integer(next, asset->height);
	add_integer(next, asset->frames);
	add_integer(next, asset->orientation);
	add_integer(next, asset->has_alpha);
	add_integer(next, asset->is_progressive);
	add_text(next, asset->colours);
	add_text(next, asset->blurhash);
	add_text(next, asset->thumbhash);
	add_text(next, asset->placeholder);
}

void
asset_row_insert_values(const struct asset *asset, struct database_value *values)
{
	struct database_value *next = values;

	add_text(&next, asset->id);
	add_text(&next, asset->origin);
	add_text(&next, asset->key);
	add_object(&next, asset);
	add_text(&next, asset_visibility_name(asset->visibility));
	add_focus(&next, asset);
	add_text(&next, asset->watermark);
	add_text(&next, asset->credit);
	add_integer(&next, asset->credit_is_imposed);
	add_text(&next, asset->owner);
	add_integer(&next, (uint64_t)asset->expires);
	CHECK(next - values == ASSET_ROW_INSERT_VALUES);
}

void
asset_row_update_values(const struct asset *asset, struct database_value *values)
{
	struct database_value *next = values;

	add_object(&next, asset);
	add_text(&next, asset->id);
	CHECK(next - values == ASSET_ROW_UPDATE_VALUES);
}

static void
add_null(struct database_value **next)
{
	*(*next)++ = (struct database_value){ .type = DATABASE_NULL };
}

static void
set_integer(struct database_value **next, bool is_to_change, uint64_t integer)
{
	if (is_to_change)
		add_integer(next, integer);
	else
		add_null(next);
}

static void
set_text(struct database_value **next, bool is_to_change, const char *text)
{
	if (is_to_change)
		add_text(next, text);
	else
		add_null(next);
}

static void
set_coordinate(struct database_value **next, bool is_to_change, const struct asset *asset, double coordinate)
{
	add_integer(next, is_to_change);
	if (asset->has_focus)
		*(*next)++ = (struct database_value){ .type = DATABASE_DOUBLE, .real = coordinate };
	else
		add_null(next);
}

void
asset_row_set_values(const struct asset *asset, unsigned fields, struct database_value *values)
{
	struct database_value *next = values;

	set_text(&next, fields & ASSET_VISIBILITY, asset_visibility_name(asset->visibility));
	set_coordinate(&next, fields & ASSET_FOCUS, asset, asset->focus_x);
	set_coordinate(&next, fields & ASSET_FOCUS, asset, asset->focus_y);
	set_text(&next, fields & ASSET_WATERMARK, asset->watermark);
	set_text(&next, fields & ASSET_CREDIT, asset->credit);
	set_integer(&next, fields & ASSET_CREDIT_IS_IMPOSED, asset->credit_is_imposed);
	set_text(&next, fields & ASSET_OWNER, asset->owner);
	set_integer(&next, fields & ASSET_EXPIRES, (uint64_t)asset->expires);
	add_text(&next, asset->id);
	CHECK(next - values == ASSET_ROW_SET_VALUES);
}
