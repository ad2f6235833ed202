-- Whether a workload has a key is asked whenever somebody else would have it.
CREATE INDEX workload_uses_by_key ON workload_uses (thumbprint, ends_at);

-- On the actor axis: master or agent. Rows from before have none, nor have those of strangers and of the
-- server; their leaves are hashed without it.
ALTER TABLE audit_events ADD COLUMN actor_role TEXT;
