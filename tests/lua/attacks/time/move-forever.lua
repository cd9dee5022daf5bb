-- table.move believes its arguments.
-- error: cpu_limit
-- needs: process
table.move({}, 1, 1 << 60, 2)
