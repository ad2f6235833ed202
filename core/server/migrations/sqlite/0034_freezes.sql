-- The link of a mail pressed while the account stood still already, and which administrator stopped it.
ALTER TABLE users ADD COLUMN frozen_again_at BIGINT;
ALTER TABLE users ADD COLUMN frozen_by TEXT;
