-- Its tuning is the host's.
-- result: [false, "collectgarbage: only 'count' and 'collect' are available in the sandbox"]
return pcall(collectgarbage, "stop")
