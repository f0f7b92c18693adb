/*
 * asset_row - one row of the table asset, as a value, and back.
 *
 * The columns of the table (sql/), in one order that the statements, the
 * reader and the writers share.  A row that breaks the rules of lib/asset is an
 * error that names the id and the column, never a half-filled asset.
 */
#ifndef CATALOG_ASSET_ROW_H
#define CATALOG_ASSET_ROW_H

#include "asset/asset.h"
#include "base/failure.h"
#include "catalog/catalog.h"
#include "catalog/database.h"

#include <stdbool.h>

/* What to select, in the order in which asset_row_read() expects it. */
#define ASSET_ROW_COLUMNS \
	"id, origin, object_key, version, bytes, etag, media_type, width, height, frames, orientation, " \
	"has_alpha, is_progressive, visibility, focus_x, focus_y, watermark, credit, credit_is_imposed, " \
	"colours, blurhash, thumbhash, placeholder, owner, created, updated, expires"

/* FAIL_UPSTREAM. */
bool asset_row_read(const struct database_row *row, struct asset *asset, struct failure *why)
    __attribute__((warn_unused_result));

/* The values for the statements below, in the order of their "?".  They point
 * into the asset.  `fields` is a set of enum asset_field. */
enum { ASSET_ROW_INSERT_VALUES = 24, ASSET_ROW_UPDATE_VALUES = 14, ASSET_ROW_SET_VALUES = 11 };
void asset_row_insert_values(const struct asset *asset, struct database_value *values);
void asset_row_update_values(const struct asset *asset, struct database_value *values);
void asset_row_set_values(const struct asset *asset, unsigned fields, struct database_value *values);

/* Microseconds, but always more than before; see sql/0001-asset.sql. */
#define ASSET_ROW_FIRST_VERSION "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED)"
#define ASSET_ROW_NEXT_VERSION "GREATEST(version + 1, " ASSET_ROW_FIRST_VERSION ")"
#define ASSET_ROW_BUMP "version = " ASSET_ROW_NEXT_VERSION ", updated = UNIX_TIMESTAMP() WHERE id = ?"

#define ASSET_ROW_INSERT \
	"INSERT INTO asset (id, origin, object_key, bytes, etag, media_type, width, height, frames, " \
	"orientation, has_alpha, is_progressive, colours, blurhash, thumbhash, placeholder, visibility, " \
	"focus_x, focus_y, watermark, credit, credit_is_imposed, owner, expires, version, created, updated) " \
	"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " \
	ASSET_ROW_FIRST_VERSION ", UNIX_TIMESTAMP(), UNIX_TIMESTAMP())"

#define ASSET_ROW_UPDATE \
	"UPDATE asset SET bytes = ?, etag = ?, media_type = ?, width = ?, height = ?, frames = ?, " \
	"orientation = ?, has_alpha = ?, is_progressive = ?, colours = ?, blurhash = ?, thumbhash = ?, " \
	"placeholder = ?, " ASSET_ROW_BUMP

/* One statement for every choice of fields: NULL leaves a column as it is.  A
 * focal point can be NULL itself, so a flag before it says whether it is meant. */
#define ASSET_ROW_SET \
	"UPDATE asset SET visibility = COALESCE(?, visibility), focus_x = IF(?, ?, focus_x), " \
	"focus_y = IF(?, ?, focus_y), watermark = COALESCE(?, watermark), credit = COALESCE(?, credit), " \
	"credit_is_imposed = COALESCE(?, credit_is_imposed), owner = COALESCE(?, owner), " \
	"expires = COALESCE(?, expires), " ASSET_ROW_BUMP

#endif
