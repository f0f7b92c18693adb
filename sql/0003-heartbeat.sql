-- A clock that the primary keeps and replication carries: one row.  How far a replica's copy is
-- behind the primary's says how old its answers may be; see lib/catalog/heartbeat.h.
--
-- * Microseconds like asset.version, and always rising, so that comparing two of them never
--   depends on a time zone, nor on two machines' clocks.
-- * The row exists from the beginning: an account that may only UPDATE can keep it.
CREATE TABLE IF NOT EXISTS heartbeat (
	number		TINYINT UNSIGNED NOT NULL
			COMMENT 'always 1',
	beaten		BIGINT UNSIGNED NOT NULL
			COMMENT 'microseconds of the primary''s clock when it was last written',

	PRIMARY KEY (number),
	CONSTRAINT heartbeat_is_one_row CHECK (number = 1)
) ENGINE = InnoDB
  COMMENT = 'when the primary was last known to take writes; shows how far replicas are behind';

INSERT IGNORE INTO heartbeat (number, beaten) VALUES (1, 0);
