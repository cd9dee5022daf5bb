-- warn writes to stderr, past the host.
-- result: null
return warn
