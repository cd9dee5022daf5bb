"""PCRE patterns: how they are written, and that the engine reads them as PCRE would."""

from typing import Any

import pytest

from kosmo_lua.errors import InvalidArguments
from kosmo_lua.lua.helpers.regex import functions, match
from kosmo_lua.values import Json

REGEX = functions()
find_all = REGEX["find_all"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("B", None),
        ("/B/", None),
        ("/B/i", ["b"]),
        ("#B#i", ["b"]),
        ("~B~iu", ["b"]),
        ("/a/", ["a"]),
        ("/a", ["/a"]),
        ("/a/b", ["/a/b"]),
        ("(B)i", None),
        ("//", [""]),
    ],
)
def test_patterns_are_bare_or_delimited(pattern: str, found: Json) -> None:
    """A pattern between two `/`, `#` or `~` and before nothing but flags loses them."""
    assert match("/a/b", pattern) == found


@pytest.mark.parametrize(
    ("subject", "pattern", "flags", "found"),
    [
        ("AB", "b", "i", ["B"]),
        ("a\nb", "^b$", "", None),
        ("a\nb", "^b$", "m", ["b"]),
        ("a\nb", "a.b", "", None),
        ("a\nb", "a.b", "s", ["a\nb"]),
        ("ab", " a # first\n b", "x", ["ab"]),
        ("a b#", r"a\ b\# # escaped", "x", ["a b#"]),
        ("a b", "a[ ]b", "x", ["a b"]),
        ("aaa", "a+", "U", ["a"]),
        ("aaa", "a+?", "U", ["aaa"]),
        ("aaa", "(?:a){2,}", "U", ["aa"]),
        ("ba", "a", "A", None),
        ("ab", "a", "A", ["a"]),
        ("a\n", "a$", "", ["a"]),
        ("a\n", "a$", "D", None),
        ("a\nb", "a$", "Dm", ["a"]),
        ("é", "^.$", "uX", ["é"]),
    ],
)
def test_flags_mean_what_they_mean_in_php(
    subject: str, pattern: str, flags: str, found: Json
) -> None:
    """As an argument and behind a delimiter."""
    assert match(subject, pattern, flags) == found
    if "#" not in pattern:
        assert match(subject, f"#{pattern}#{flags}") == found


@pytest.mark.parametrize(("pattern", "flags"), [("a", "g"), ("/a/g", ""), ("a", "I")])
def test_an_unknown_flag_is_told_with_the_known_ones(pattern: str, flags: str) -> None:
    """Flags of other languages are not ignored."""
    with pytest.raises(InvalidArguments) as failure:
        match("a", pattern, flags)
    assert failure.value.message.endswith("the flags are i, m, s, x, u, A, D, U, X")


@pytest.mark.parametrize(
    ("subject", "pattern", "found"),
    [
        ("aB", "a(?i)b", "aB"),
        ("AB", "a(?i)b", None),
        ("aBc", "a(?i:b)c", "aBc"),
        ("ab", "(?x) a b # c", "ab"),
        ("a\n", r"a\Z", "a"),
        ("a\n", r"a\z", None),
        ("é", r"\x{e9}", "é"),
        ("é", r"[\x{e9}]", "é"),
        ("\x1b", r"\e", "\x1b"),
        ("a.b", r"\Qa.b\E", "a.b"),
        ("axb", r"\Qa.b", None),
        ("x\n", r"x\v", "x\n"),
        ("x", r"[^\v]", "x"),
        ("x\t", r"x\h", "x\t"),
        ("\n", r"\N", None),
        ("aa", r"(?<n>a)\k<n>", "aa"),
        ("aa", r"(?'n'a)\k'n'", "aa"),
        ("aa", r"(?P<n>a)\k{n}", "aa"),
        ("aa", r"(a)\g{1}", "aa"),
        ("aa", r"(a)\g1", "aa"),
        ("abb", r"(a)(b)\g{-1}", "abb"),
        ("[a", "[[a]+", "[a"),
        ("a]", r"[]a]+", "a]"),
        ("&&", "[a&&b]+", "&&"),
        ("a1", "[[:alpha:]][[:^alpha:]]", "a1"),
        ("e{", "e{", "e{"),
        ("a{e<=1}", "a{e<=1}", "a{e<=1}"),
        ("aaa", "a++", "aaa"),
        ("aaa", "a(?# comment )+", "aaa"),
        ("(())", r"\((?R)?\)", "(())"),
        ("SS", "(?i)ß", None),
        ("foobar", r"foo\Kbar", "bar"),
        (" a\t", r"\H+", "a"),
        (" \t\u180e", r"\h+", " \t\u180e"),
        ("A", r"\o{101}\Z|\N{U+61}", "A"),
        ("\x01\x1b", r"\cA\c[", "\x01\x1b"),
        ("\n\0g", r"\xA\xg", "\n\0g"),
        ("\x018", r"\18", "\x018"),
        ("a\t", r"(a)\11", "a\t"),
        ("ba]", r"[\Qa]\E]+", "a]"),
        ("aa", r"a\E+", "aa"),
        ("--.a", "[--a]+", "--.a"),
        ("[a]", r"[\[a\]]+", "[a]"),
        ("aa", r"(a)\g'1'", "aa"),
        ("aa", r"(a)\g<-1>", "aa"),
        ("aa", "(?+1)(a)", "aa"),
        ("ab", "(?<n>a)?(?(<n>)b|c)", "ab"),
        ("c", "(?('n')b|c)(?'n'a)?", "c"),
        ("ab", "(a)?(?(-1)b|c)", "ab"),
        ("c", "(?(+1)b|c)(a)?", "c"),
        ("12", r"(?(DEFINE)(?<d>\d))(?&d)(?P>d)", "12"),
        ("abccba", r"^((.)(?1)\2|)$", "abccba"),
        ("bcc", r"(?|(a)(x)|(b))(c)\g{-1}", "bcc"),
        ("bb", r"(?|(?<n>a)|(?<n>b))\k<n>", "bb"),
        ("aab", "(?>a+)ab|b", "b"),
        ("'a' b", r"'[^']*'(*SKIP)(*FAIL)|\w", "b"),
        ("ab c", "a(?x) b (?-x) c", "ab c"),
        ("aab", "(?U)a+", "a"),
        ("aAb", "(?i)a(?^)A", "aA"),
        ("a\nb", "(?sm:a.^b)", "a\nb"),
        ("aB1", r"\p{L&}+", "aB"),
        ("é1_ ", r"\p{Xan}+\P{Xan}", "é1_"),
        ("a{2", "a{2", "a{2"),
        ("abb", "ab+", "abb"),
        ("bccd", r"^(\w+)*\1d", "bccd"),
        ("bccd", r"^(\w+){0,}?\1d", "bccd"),
        ("89", r"[\8\9]+", "89"),
        (";", r"\c{", ";"),
    ],
)
def test_patterns_are_read_as_pcre_reads_them(
    subject: str, pattern: str, found: str | None
) -> None:
    """Where the engine has another opinion, the pattern is rewritten for it."""
    answer = match(subject, pattern)
    answer = answer[""] if isinstance(answer, dict) else answer
    assert (answer[0] if isinstance(answer, list) else None) == found


@pytest.mark.parametrize(
    ("subject", "pattern", "found"),
    [
        ("a\n", "(?m)^", ["1:0"]),
        ("a\n\n", "(?m)$", ["2:1", "3:2", "4:3"]),
        ("ab", "[^a]|[^b]", ["1:1", "2:2"]),
        ("abc", r"a\K|", ["2:1", "3:2", "4:3"]),
        ("aé", "", ["1:0", "2:1", "4:3"]),
        ("xay", "a*", ["1:0", "2:2", "3:2", "4:3"]),
    ],
)
def test_all_matches_are_those_of_preg_match_all(
    subject: str, pattern: str, found: list[str]
) -> None:
    """PHP: after an empty match, one at the same place that is not empty, or else a character on."""
    batch: Any = find_all(subject, pattern)
    places = zip(batch["places"][::2], batch["places"][1::2], strict=True)
    assert [f"{first}:{last}" for first, last in places] == found


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (r"a\m", r"unknown escape \m at position 1"),
        (r"\C", r"unknown escape \C at position 0"),
        ("[:alpha:]", "[:alpha:] outside of a set; write [[:alpha:]] at position 0"),
        ("[[:alpa:]]", "unknown class [:alpa:] at position 0"),
        ("[[.a.]]", "unknown class [.a.] at position 0"),
        (r"[a-\d]", "a class at an end of a range at position 0"),
        ("[z-a]", "a range whose end comes before its start at position 0"),
        ("^*a", "a repeat of what matches no character at position 1"),
        ("(?<n>a)(?<n>b)", "a second group named n at position 7"),
        (r"(?=a\K)", r"\K within a look-around at position 4"),
        ("a(*COMMIT)b", "(*COMMIT) is not available at position 1"),
        ("(?C1)a", "unknown kind of group at position 0"),
        ("(?(R)a)", "a condition other than a group, DEFINE or an assertion at position 0"),
        ("/(?R)?a/A", "(?R) together with the flag A at position 1"),
        (r"\p", "missing name of a property at position 0"),
        (r"\x{d800}", r"\x{d800} is no code point at position 0"),
        ("(?|(a)|(b))(?1)", "ambiguous group reference at position 13"),
    ],
)
def test_what_cannot_be_read_as_pcre_reads_it_is_refused(pattern: str, problem: str) -> None:
    """Instead of what the engine would take it for."""
    with pytest.raises(InvalidArguments) as failure:
        match("a", pattern)
    assert failure.value.message == f"regex.match: the pattern is not valid: {problem}"


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(ab", "missing ) at position 3"),
        ("/(ab/", "missing ) at position 4"),
        ("/a**/A", "multiple repeat at position 3"),
        ("ab)", "unbalanced parenthesis at position 2"),
        ("a**", "multiple repeat at position 2"),
        ("[ab", "missing ] of a set at position 0"),
        (r"\x{e9}(", "missing ) at position 7"),
        (r"\x{110000}", r"\x{110000} is no code point at position 0"),
        ("a(?#b", "missing ) of a comment at position 1"),
        ("a{2,1}", "min repeat greater than max repeat at position 2"),
        ("(" * 5000, "its groups are nested too deep"),
        ("a(?xn: b)", "inline flags other than i, m, s, x and U at position 1"),
        ("(?V0)a", "unknown kind of group at position 0"),
    ],
)
def test_an_invalid_pattern_is_told_with_its_place(pattern: str, problem: str) -> None:
    """The position counts in the pattern as it was given, with its delimiters."""
    with pytest.raises(InvalidArguments) as failure:
        match("a", pattern)
    assert failure.value.message.startswith("regex.match: ")
    assert failure.value.message.endswith(problem)
