-- The code of an uncaught error is the host's, whatever the script writes into its table.
-- error: runtime
-- message: mine
local _, problem = pcall(app.integrations.segment.track, {})
problem.code, problem.type, problem.message = "internal", "crash", "mine"
error(problem)
