-- The network that a place belongs to, as for recoveries: whoever has many places mostly has them in few networks.
ALTER TABLE agent_pairings ADD COLUMN net TEXT NOT NULL DEFAULT '';
