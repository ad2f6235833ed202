-- On the actor axes: the capability that somebody was given, or acted with. Rows without one have the leaf
-- that they always had.
ALTER TABLE audit_events ADD COLUMN capability TEXT;
