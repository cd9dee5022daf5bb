-- Files.
-- result: [null, null, null]
return io, dofile, loadfile
