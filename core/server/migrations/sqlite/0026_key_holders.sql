-- Whether a workload has a key is asked whenever somebody else would have it.
CREATE INDEX workload_uses_by_key ON workload_uses (thumbprint, ends_at);
