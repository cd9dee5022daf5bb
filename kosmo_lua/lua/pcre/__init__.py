"""PCRE patterns, made for the engine behind the Lua table `regex`, the PyPI package of that name.

The engine has forms that PCRE has not, lacks some, and reads some otherwise. So `translation` rewrites every
token into what means the same there, or refuses it; docs/regex.md has what still differs.

It has a time limit and releases the GIL while it matches. While it compiles, it needs guarding:

* It unrolls repeats: 16 characters, `a{4294967294}`, take all memory. So `cost` counts what a pattern unrolls
  to, which works only because both read the pattern alike.
* It compiles in Python: 64 KiB of words take 0.5 s, the worst that was found 3 s. So `compilation` can
  stop it.
"""
