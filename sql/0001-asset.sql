-- What is known of every original: one row an asset.
-- Written for MariaDB 10.6 and later and for MySQL 8; read by lib/catalog/asset_row.c.
--
-- Choices that are not obvious:
--
-- * version is no counter that starts at 1.  It is the time in microseconds when the row
--   was written, and at least one more than before.  Rendered variants are filed under the
--   version for ever, so it must never be given out twice, not even after an id was deleted
--   and inserted again, after a backup was played back, or after a fail-over lost the last
--   purges.
-- * object_key and etag are bytes (VARBINARY): S3 compares bytes, so upper and lower case
--   and a space at the end make another key.  1024 bytes and the origin fit into InnoDB's
--   limit of 3072 for an index, so the unique key needs no hash beside it.
-- * media_type is a word and no ENUM, because new formats come; visibility is an ENUM,
--   because nobody may invent another answer.
-- * Times are Unix seconds: no time zones, no year 2038, and the same number everywhere.
-- * Texts are at most 255 bytes, as lib/asset/asset.h holds them; VARCHAR alone counts
--   characters.
CREATE TABLE IF NOT EXISTS asset (
	number		BIGINT UNSIGNED NOT NULL AUTO_INCREMENT
			COMMENT 'order of insertion; keeps the primary key short, known to nobody else',
	id		VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
			COMMENT 'the public id in URLs: [A-Za-z0-9_-]{1,64}',
	origin		VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
			COMMENT 'name of a configured origin',
	object_key	VARBINARY(1024) NOT NULL
			COMMENT 'object key or relative path in that origin, UTF-8',
	version		BIGINT UNSIGNED NOT NULL
			COMMENT 'rises with every change of the object or of its policy',
	bytes		BIGINT UNSIGNED NOT NULL
			COMMENT 'size of the original',
	etag		VARBINARY(128) NOT NULL DEFAULT ''
			COMMENT 'as the origin gave it; empty when it gave none',
	media_type	VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
			COMMENT 'found in the bytes, not believed: image/jpeg, ...',
	width		INT UNSIGNED NOT NULL
			COMMENT 'pixels as stored in the file, before orientation',
	height		INT UNSIGNED NOT NULL,
	frames		INT UNSIGNED NOT NULL DEFAULT 1
			COMMENT 'more than 1: an animation',
	orientation	TINYINT UNSIGNED NOT NULL DEFAULT 1
			COMMENT 'EXIF, 1 to 8',
	has_alpha	BOOLEAN NOT NULL DEFAULT FALSE,
	is_progressive	BOOLEAN NOT NULL DEFAULT FALSE
			COMMENT 'must be decoded as a whole, so tighter limits apply',
	visibility	ENUM('public', 'signed', 'gone') NOT NULL DEFAULT 'public'
			COMMENT 'signed: every URL needs a token; gone: taken down, 410',
	focus_x		DOUBLE NULL
			COMMENT 'focal point, fraction of the width of the upright image',
	focus_y		DOUBLE NULL
			COMMENT 'the same of the height; both or neither',
	watermark	VARCHAR(255) NOT NULL DEFAULT ''
			COMMENT 'name of a configured watermark',
	credit		VARCHAR(255) NOT NULL DEFAULT '',
	placeholder	VARCHAR(255) NOT NULL DEFAULT ''
			COMMENT 'tiny preview as text',
	owner		VARCHAR(255) NOT NULL DEFAULT '',
	created		BIGINT NOT NULL COMMENT 'Unix seconds',
	updated		BIGINT NOT NULL COMMENT 'Unix seconds',
	expires		BIGINT NOT NULL DEFAULT 0 COMMENT 'Unix seconds; 0: never',

	PRIMARY KEY (number),
	UNIQUE KEY asset_id (id),
	UNIQUE KEY asset_origin_object_key (origin, object_key),
	CONSTRAINT asset_orientation_is_exif CHECK (orientation BETWEEN 1 AND 8),
	CONSTRAINT asset_has_a_frame CHECK (frames >= 1),
	CONSTRAINT asset_focus_is_a_point CHECK ((focus_x IS NULL) = (focus_y IS NULL)),
	CONSTRAINT asset_focus_is_inside CHECK (focus_x BETWEEN 0 AND 1 AND focus_y BETWEEN 0 AND 1),
	CONSTRAINT asset_texts_fit CHECK (LENGTH(watermark) <= 255 AND LENGTH(credit) <= 255
		AND LENGTH(placeholder) <= 255 AND LENGTH(owner) <= 255)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT = 'what is known of each original';
