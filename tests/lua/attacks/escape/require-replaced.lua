-- A script may replace require, and what it asks for is looked up by nothing that it can reach.
-- error: runtime
string.find, string.sub, table.concat, load = nil
require("no.such.module")
