-- How often the key of a recovery asked, and since when: how long answers take must not be measured without end.
ALTER TABLE recoveries ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recoveries ADD COLUMN messages_since BIGINT NOT NULL DEFAULT 0;
