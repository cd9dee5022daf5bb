"""PCRE patterns, made for the engine behind the Lua table `regex`, the PyPI package of that name.

The engine has a time limit and releases the GIL while it matches. While it compiles, it needs guarding:

* It unrolls repeats: 16 characters, `a{4294967294}`, take all memory. So `cost` counts what a pattern unrolls
  to. That works only if both read the pattern alike, so `translation` rewrites or refuses whatever they might
  read differently (sets, comments, flags, braces).
* It compiles in Python: 64 KiB of words take 0.5 s, the worst that was found 3 s. So `compilation` can
  stop it.
"""
