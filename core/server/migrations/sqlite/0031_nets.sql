-- The network that a place belongs to: whoever has many places mostly has them in few networks.
ALTER TABLE recoveries ADD COLUMN net TEXT NOT NULL DEFAULT '';
