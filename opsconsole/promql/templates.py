"""A dashboard's query as PromQL with Grafana's variables left in it.

Such a text is not PromQL yet. For the parser each variable stands as something that it takes in its place, a
duration or a name, and is put back into what the parser writes.
"""

import re
from contextlib import suppress
from itertools import count

from opsconsole.errors import Nonsense
from opsconsole.promql.trees import pretty

_VARIABLE = re.compile(
    r"\$(?P<plain>\w+)|\$\{(?P<braced>\w+)(?P<form>[.:][^}]*)?\}"
    r"|\[\[(?P<square>\w+)(?P<square_form>[.:][^\]]*)?\]\]"
)
_TOKEN = re.compile(
    r"""(?P<kept>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\#[^\n]*)"""
    r"|(?P<bracket>[\[\]])|(?P<variable>\$\w+|\$\{[^}]*\})"
)
_OFFSET = re.compile(r"\boffset\s+-?$", re.IGNORECASE)
_NAME, _NUMBER, _DURATION = "a_variable_of_grafana_{}_", "909{}", "{}ms"
_FIRST_DURATION = 901
_LONGEST_DURATION = 999


def pretty_template(text: str) -> str:
    """The query as the parser would write it, its variables as they are written (`$name` and `${name}` are
    one); where it is no PromQL even so, with its white space made one."""
    text = _VARIABLE.sub(_written, text)
    for form in (_NAME, _NUMBER):
        with suppress(Nonsense):
            stood_in, names = _standing_in(text, form)
            return _put_back(pretty(stood_in), names)
    return " ".join(text.split())


def _put_back(text: str, names: dict[str, str]) -> str:
    pattern = rf"(?<!\d)({'|'.join(names)})" if names else "(?!)"
    return re.sub(pattern, lambda found: names[found[0]], text)


def _written(found: re.Match[str]) -> str:
    name = found["plain"] or found["braced"] or found["square"]
    form = found["form"] or found["square_form"] or ""
    follows = found.string[found.end() : found.end() + 1]
    return f"${{{name}{form}}}" if form or follows.isalnum() or follows == "_" else f"${name}"


def _standing_in(text: str, form: str) -> tuple[str, dict[str, str]]:
    """The text without its variables, and what each stand-in stands for. Raises Nonsense for too many."""
    placeholders: dict[tuple[str, str], str] = {}
    numbers = count(_FIRST_DURATION)
    within = False

    def replaced(found: re.Match[str]) -> str:
        nonlocal within
        if found["kept"]:
            return found[0]
        if found["bracket"]:
            within = found[0] == "["
            return found[0]
        is_duration = within or _OFFSET.search(text[: found.start()])
        kind = _DURATION if is_duration else form
        key = (kind, found[0])
        if key not in placeholders:
            number = next(numbers)
            if number > _LONGEST_DURATION:
                raise Nonsense("too many variables")
            placeholders[key] = kind.format(number)
        return placeholders[key]

    text = _TOKEN.sub(replaced, text)
    return text, {placeholder: variable for (_, variable), placeholder in placeholders.items()}
