"""How a panel's verdict is made of what is known of its queries. Nothing here does I/O."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from opsconsole.rehearse.model import Panel, Reason, Verdict, Warned, Word

_WAITS = "it can show data, and has none now"
_NOT_ASKED = "it can show data; whether it has any now, only an environment tells"
_LONGEST_QUERY = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """What is known of one query of a panel.

    `reasons` say why it can never have data, empty where that is not proven; `shows` is whether it has data
    now, None where nobody was asked; `error` is why it is refused, in the server's or the parser's words;
    `guess` is what it rests on that was only guessed.
    """

    expr: str
    reasons: tuple[Reason, ...] = ()
    shows: bool | None = None
    error: str = ""
    warnings: tuple[Warned, ...] = ()
    guess: str = ""


def panel_verdict(panel: Panel, per_query: Sequence[QueryResult]) -> Verdict:
    """Error where a variable has no value or a query is refused; never where one of the queries can never
    have data, whatever the others show; data where one has some; else quiet."""
    errors = [*_unfilled(panel), *_refused(per_query)]
    nevers = [] if errors else list(_nevers(per_query))
    shows = any(query.shows for query in per_query)
    if errors:
        word = Word.ERROR
    elif nevers:
        word = Word.NEVER
    else:
        word = Word.DATA if shows else Word.QUIET
    return Verdict(
        subject=panel.title,
        kind="panel",
        word=word,
        expr="\n".join(panel.queries),
        reasons=(*errors, *nevers),
        warnings=tuple(dict.fromkeys(warned for query in per_query for warned in query.warnings)),
        tried=_quiet(per_query) if word is Word.QUIET else "",
        guess=_guess(word, nevers, per_query),
        group=panel.dashboard,
        file=panel.file,
        line=panel.line,
    )


def _unfilled(panel: Panel) -> Iterator[Reason]:
    for name in panel.unfilled:
        yield Reason(
            kind="unfilled-variable",
            summary=f"the variable {name} has no value",
            correction=f"give {name} a current value or an option, and save the dashboard",
        )


def _refused(per_query: Sequence[QueryResult]) -> Iterator[Reason]:
    for query in per_query:
        if query.error:
            yield Reason(kind="not-promql", summary=query.error, guilty=query.expr)


def _nevers(per_query: Sequence[QueryResult]) -> Iterator[Reason]:
    """Those that are proven before those that rest on a guess."""
    found = [
        reason if len(per_query) == 1 else replace(reason, summary=f"{_named(query.expr)}: {reason.summary}")
        for query in per_query
        for reason in query.reasons
    ]
    yield from sorted(found, key=lambda reason: bool(reason.guess))


def _named(expr: str) -> str:
    line = " ".join(expr.split())
    return f"query {line if len(line) <= _LONGEST_QUERY else line[:_LONGEST_QUERY] + ' ...'}"


def _quiet(per_query: Sequence[QueryResult]) -> str:
    return _NOT_ASKED if any(query.shows is None for query in per_query) else _WAITS


def _guess(word: Word, nevers: Sequence[Reason], per_query: Sequence[QueryResult]) -> str:
    if word is Word.NEVER:
        return nevers[0].guess
    return next((query.guess for query in per_query if query.guess), "") if word is Word.QUIET else ""
