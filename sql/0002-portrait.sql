-- How each original looks, found once by the importer, and what its owner imposes on every
-- variant: columns that /a/{asset}/info.json and the overlays are made from.
--
-- * colours is empty in rows from before: nothing else needs them, and the next
--   `vitrine import` describes those assets again (cli/import_worker.c).
-- * What was found in the pixels is ASCII, so its limits in lib/asset/asset.h are
--   limits of characters too. placeholder is emptied first: whatever text it held,
--   it is to be found anew, and must not stand in the way of its new type.
-- * The check of colours is here and not in the reader: who writes rows by other means
--   learns of a slip at once, and a server can split the text without a second look.
UPDATE asset SET placeholder = '' WHERE placeholder <> '';

ALTER TABLE asset
	DROP CONSTRAINT asset_texts_fit,
	ADD COLUMN credit_is_imposed BOOLEAN NOT NULL DEFAULT FALSE
		COMMENT 'drawn on every variant, whatever the URL says' AFTER credit,
	ADD COLUMN colours VARCHAR(41) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
		COMMENT 'rrggbb,...: the dominant one, then 1 to 5 of a palette; empty: not looked at yet'
		AFTER credit_is_imposed,
	ADD COLUMN blurhash VARCHAR(28) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
		AFTER colours,
	ADD COLUMN thumbhash VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
		COMMENT 'base64' AFTER blurhash,
	MODIFY COLUMN placeholder VARCHAR(599) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''
		COMMENT 'tiny preview as a data: URI',
	ADD CONSTRAINT asset_texts_fit CHECK (LENGTH(watermark) <= 255 AND LENGTH(credit) <= 255
		AND LENGTH(owner) <= 255),
	ADD CONSTRAINT asset_colours_are_hex
		CHECK (colours REGEXP '^([0-9a-f]{6}(,[0-9a-f]{6}){1,5})?$');
