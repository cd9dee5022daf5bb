-- %p is nothing but an address.
-- result: [false, "bad argument #1 to 'format' (%p would show an address)"]
return pcall(string.format, "%-20p", {})
