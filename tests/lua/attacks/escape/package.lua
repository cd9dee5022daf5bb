-- package.loaded would have everything.
-- result: null
return package
