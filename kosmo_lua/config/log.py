"""The log of continuous integration: what it must not show."""

import sys
from collections.abc import Iterable, Mapping


def hide_in_log(secrets: Iterable[str], environ: Mapping[str, str]) -> None:
    """Let GitHub hide secrets in its log: on the one line that may show them, and GitHub does not."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return
    for secret in secrets:
        data = secret.replace("%", "%25")
        sys.stderr.write(f"::add-mask::{data}\n")
    sys.stderr.flush()
