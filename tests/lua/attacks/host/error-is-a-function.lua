-- A function as an error shows no address.
-- error: runtime
-- message: function
error(print)
