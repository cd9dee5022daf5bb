"""Groups: which are open while a pattern is read, the flags that hold in them, and how PCRE numbers them."""

from dataclasses import dataclass

from kosmo_lua.lua.pcre.pattern import Refused


@dataclass
class _Open:
    flags: str
    """Those that hold from here on."""
    first: int | None = None
    """In a branch reset, `(?|...)`: how many groups came before it."""
    highest: int = 0
    """In one, the highest number of its branches so far."""
    looks_around: bool = False
    """Whether it is, or is in, a look-around."""


class Groups:
    """The groups of a pattern, so far as it was read."""

    def __init__(self, flags: str) -> None:
        self.count = 0
        """Numbered groups that have begun."""
        self._names: dict[str, int] = {}
        self._open = [_Open(flags)]

    @property
    def flags(self) -> str:
        """The flags that hold here."""
        return self._open[-1].flags

    @property
    def in_look_around(self) -> bool:
        """Whether the pattern is looking around here."""
        return self._open[-1].looks_around

    def open(self, opening: str = "", name: str | None = None) -> bool:
        """Begin a group, whose first characters may give it a meaning; with a name it captures, too.

        True for a name that was there before, in another branch of a branch reset.
        """
        is_known = name in self._names
        if opening == "(" or name:
            self.count += 1
        if name and self._names.setdefault(name, self.count) != self.count:
            raise Refused(f"a second group named {name}")
        group = _Open(self.flags, self.count if opening == "(?|" else None)
        group.looks_around = opening.endswith(("=", "!")) or self.in_look_around
        self._open.append(group)
        return is_known

    def branch(self) -> None:
        """Begin another branch of the innermost group."""
        group = self._open[-1]
        if group.first is not None:
            group.highest, self.count = max(group.highest, self.count), group.first

    def close(self) -> None:
        """End the innermost group."""
        if len(self._open) == 1:
            raise Refused("unbalanced parenthesis")
        self.count = max(self._open.pop().highest, self.count)

    def switch(self, letters: str) -> None:
        """Let flags hold, or after a `-` no longer hold, for the rest of the innermost group."""
        on, _, off = letters.removeprefix("^").partition("-")
        off += "imsx" if letters.startswith("^") else ""
        self._open[-1].flags = "".join(set(self.flags) - set(off) | set(on))

    def number(self, reference: str) -> str:
        """Return what a reference refers to: a name as it is, `-1` and `+1` as the number of a group."""
        name = reference.strip("<>{}'")
        if name.startswith("-"):
            return str(self.count + 1 - int(name[1:]))
        return str(self.count + int(name)) if name.startswith("+") else name
