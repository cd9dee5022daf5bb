-- The words with which the host ends a run.
-- result: [false, "the run is over"]
return pcall(error, "the run is over", 0)
