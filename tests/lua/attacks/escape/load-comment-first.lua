-- A first line that is a comment of the shell belongs to files, not to load.
-- result: null
return (load("#!/bin/sh\nreturn 1"))
