"""Practice on a broken lab, without the lab: which fault it is, what a person means by a line, what helps.

It is a game and no secret: what a lab is broken with stands in its folder. The game is to see it as one would
elsewhere, by what the monitoring shows.
"""

import random
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsconsole.lab.faults import LINKS, Fault, load

LOOKS = ("verify", "rehearse", "alert send", "runs list", "runs show", "runs diff")
"""The console's commands that look at the lab, or at what was seen of it."""

_GIVES_UP = {"give up", "giveup", "give", "quit", "exit", "q"}
_HELPS = {"help", "?", "h", "what"}
_SHORTEST_WORD = 3
_LONGEST_NUMBER = 6
_CLOSE = 0.6


@dataclass(frozen=True)
class Look:
    """A command of the console, as its arguments."""

    argv: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """What it may be, is asked: of one link, with some words in it, or, where both are empty, all."""

    link: str = ""
    words: str = ""


@dataclass(frozen=True)
class Answer:
    """What it is, said for sure."""

    fault: Fault


@dataclass(frozen=True)
class Perhaps:
    """Words that are no fault's name: the faults that may be meant, none or several."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Cannot:
    """What is not done in a practice, and why."""

    why: str


@dataclass(frozen=True)
class Ask:
    """`help`, `hint` or `give up`."""

    what: str


Meaning = Look | Listing | Answer | Perhaps | Cannot | Ask


def possible() -> list[Fault]:
    """The faults for practice: those that `verify` tells of, in the order of their numbers, from 1."""
    return [fault for fault in load().values() if not fault.drill]


def drawn(seed: int, faults: Sequence[Fault]) -> Fault:
    """One of them: by one seed always the same one, as long as there are no others."""
    return random.Random(seed).choice(sorted(faults, key=lambda fault: fault.name))


def hints(fault: Fault, titles: Mapping[str, str]) -> list[str]:
    """What helps, more and more; `titles` are those of the checklist's items by their ids."""
    items = " and ".join(f"{item} ({titles.get(item, item)})" for item in fault.shows)
    return [f"the link is {fault.link}: {LINKS[fault.link]}", f"`verify` tells of it at {items}"]


def judged(answer: Fault, fault: Fault) -> str:
    """What is said of an answer, empty where it is right."""
    if answer.name == fault.name:
        return ""
    return "the right link, another fault" if answer.link == fault.link else "not this one"


def meaning(line: str, faults: Sequence[Fault]) -> Meaning | None:
    """What a person means by a line, with the faults as they are numbered; None: nothing was said."""
    words = line.strip().removeprefix("opsconsole ").strip().strip("`").rstrip(".!").strip()
    said = " ".join(words.lower().split())
    first, _, rest = said.partition(" ")
    if not said:
        return None
    if said in _GIVES_UP:
        return Ask("give up")
    if said in _HELPS:
        return Ask("help")
    if first in ("hint", "hints"):
        return Ask("hint")
    if said in ("list", "lab list") or first == "list":
        return _listing(rest if first == "list" else "")
    return _command(words, said) or _answer(said, faults)


def in_words(expression: str) -> str:
    """A regular expression of a fault's `shows` as one would say it: its first alternative, … for what may
    be anything."""
    text = re.sub(r"\\([^\w\s])", lambda found: _escaped(found[1]), expression)
    text = re.sub(r"\(\?[a-zA-Z]+\)|[\^$]|\\b", "", text).replace("(?:", "(")
    while re.search(r"\([^()]*\)", text):
        text = re.sub(r"\(([^()|]*)(?:\|[^()]*)?\)[?*+]?", r"\1", text)
    text = re.sub(r"(?<=\w)\.(?=\w)", _escaped("."), text.partition("|")[0])
    text = re.sub(r"(?:\.|\\[dwWS]|\[[^\]]*\])(?:[*+]\??|\{[^}]*\})?", "…", text)
    text = re.sub(r"…[\s…]*…", "…", re.sub(r"\\[snt][*+]?", " ", text).replace("?", ""))
    return " ".join("".join(chr(ord(c) - 0xE000) if "\ue000" <= c < "\ue080" else c for c in text).split())


def _escaped(sign: str) -> str:
    """A sign that nothing takes for one of a regular expression."""
    return chr(0xE000 + ord(sign))


def _listing(wanted: str) -> Listing:
    link = next((link for link in LINKS if wanted and link.startswith(wanted)), "")
    return Listing(link) if link else Listing(words=wanted)


def _command(words: str, said: str) -> Look | Cannot | None:
    first, _, rest = said.partition(" ")
    if said in ("status", "lab status"):
        return Look(("lab", "status"))
    if first == "lab":
        return Cannot(f"`lab {rest}` is for when the practice is over; `give up` ends it")
    if first == "alert-test":
        return Cannot("`alert-test` uses a drill lab of its own, in which nothing is broken")
    if said == "runs":
        return Look(("runs", "list"))
    if not any(f"{said} ".startswith(f"{look} ") for look in LOOKS):
        return None
    try:
        return Look(tuple(shlex.split(words)))
    except ValueError as error:
        return Cannot(f"that cannot be read: {error}")


def _answer(said: str, faults: Sequence[Fault]) -> Answer | Perhaps:
    number = said.removeprefix("#")
    if number.isdecimal() and len(number) < _LONGEST_NUMBER:
        return Answer(faults[int(number) - 1]) if 0 < int(number) <= len(faults) else Perhaps(())
    wanted = _plain(said)
    for fault in faults:
        if wanted in (_plain(fault.name), _plain(fault.said)):
            return Answer(fault)
    return Perhaps(with_words(said, faults) or _close(wanted, faults))


def with_words(said: str, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """The faults in whose name or sentence words begin with all of these; short ones do not count."""
    wanted = [word for word in _plain(said).split() if len(word) >= _SHORTEST_WORD]
    return tuple(
        fault
        for fault in faults
        if wanted and all(re.search(rf"\b{word}", _plain(f"{fault.name} {fault.said}")) for word in wanted)
    )


def _close(wanted: str, faults: Sequence[Fault]) -> tuple[Fault, ...]:
    import difflib

    said = {_plain(text): fault for fault in faults for text in (fault.said, fault.name)}
    return tuple(
        {said[text].name: said[text] for text in difflib.get_close_matches(wanted, said, 3, _CLOSE)}.values()
    )


def _plain(text: str) -> str:
    """Lower case, and nothing but letters, digits and single spaces."""
    return " ".join(re.sub(r"[\W_]+", " ", text.lower()).split())
