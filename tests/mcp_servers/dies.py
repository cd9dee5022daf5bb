"""An MCP server that ends at once, and says why: with the environment variable SECRET in it."""

import os
import sys

sys.stderr.write("Traceback (most recent call last):\n")
sys.stderr.write(f"\x1b[31mConfigError\x1b[0m: the token {os.environ.get('SECRET')} is wrong\n")
sys.exit(3)
