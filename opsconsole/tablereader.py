"""The tables of a TOML file as dataclasses.

The fields of a dataclass are the keys that its table may have, their types what is expected of the
values, their defaults what need not be given. Everything that is not so is a ConfigError which names
file, line and table, and never the value: that might be a secret in the wrong place.
"""

import math
import re
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlsplit

from opsconsole.nearest import nearest
from opsconsole.secrets import Secret
from opsconsole.tomlfile import SECRET_HINT, Keys, TomlFile

_T = TypeVar("_T")

Url = Annotated[str, "URL"]
Seconds = Annotated[float, "seconds"]
Port = Annotated[int, "port"]
NameOrPath = Annotated[str, "name or path"]

LONGEST_SECONDS = 3600.0
"""An upper bound for every timeout: more is a slip of the unit."""
DEEPEST = 16
"""Levels of tables and lists in a free value."""

_SECRET_NAME = re.compile(r"(?i)(^|_)(token|password|passwd|secret|api_?key)$")


@dataclass
class Reader:
    """Turns tables of one file into dataclasses; `origins` collects where each value given comes from."""

    file: TomlFile
    origins: dict[Keys, str] = field(default_factory=dict)

    def table(self, value: Any, keys: Keys) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.expected("a table", value, keys)
        return value

    def only(self, table: Iterable[str], known: Iterable[str], keys: Keys) -> None:
        """Refuse the first key of `table` that is not among the known ones."""
        known = list(known)
        for key in table:
            if key not in known:
                self.file.wrong((*keys, key), f"unknown key {key!r}", nearest(key, known), table=keys)

    def record(self, into: type[_T], value: Any, keys: Keys, **given: Any) -> _T:
        """The table `value` as the dataclass `into`; `given` fields are no keys. A field with the metadata
        `key` is called that in the file. A plain string is the `url` of what has one."""
        hints = get_type_hints(into, include_extras=True)
        known = {
            f.metadata.get("key", f.name): f
            for f in fields(into)  # type: ignore[arg-type]
            if f.name not in given
        }
        if isinstance(value, str) and "url" in known:
            value = {"url": value}
        table = self.table(value, keys)
        self.only(table, known, keys)
        for key, entry in known.items():
            inner = (*keys, key)
            if key in table:
                given[entry.name] = self.value(hints[entry.name], table[key], inner)
                self.origins[inner] = self.file.place(inner)
            elif _required(entry):
                self.file.wrong(keys, f"needs {key!r}", table=keys)
        return into(**given)

    def value(self, hint: Any, value: Any, keys: Keys) -> Any:
        """`value` as the type `hint`."""
        if get_origin(hint) in (Union, types.UnionType):
            hint = next(option for option in get_args(hint) if option is not type(None))
        if get_origin(hint) is Literal:
            return self.choice(get_args(hint), value, keys)
        if is_dataclass(hint) and isinstance(hint, type) and hint is not Secret:
            return self.record(hint, value, keys)
        return _CONVERTERS[hint](self, value, keys)

    def choice(self, options: tuple[str, ...], value: Any, keys: Keys) -> str:
        if value not in options:
            self.file.wrong(
                keys, f"{keys[-1]}: not one of those that there are", nearest(str(value), options)
            )
        return str(value)

    def text(self, value: Any, keys: Keys) -> str:
        if not isinstance(value, str):
            self.expected("a string", value, keys)
        return value

    def switch(self, value: Any, keys: Keys) -> bool:
        if not isinstance(value, bool):
            self.expected("true or false", value, keys)
        return value

    def seconds(self, value: Any, keys: Keys) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.expected("a number of seconds", value, keys)
        if not 0 < value <= LONGEST_SECONDS:
            self.file.wrong(keys, f"{keys[-1]}: must be over 0 and at most {LONGEST_SECONDS:g} seconds")
        return float(value)

    def port(self, value: Any, keys: Keys) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
            self.expected("a port from 1 to 65535", value, keys)
        return value

    def path(self, value: Any, keys: Keys) -> Path:
        """A path, relative to the file's folder."""
        if not (text := self.text(value, keys)) or "\0" in text:
            self.file.wrong(keys, f"{keys[-1]}: no usable path")
        try:
            return self.file.path.absolute().parent / Path(text).expanduser()
        except RuntimeError:
            self.file.wrong(keys, f"{keys[-1]}: ~ names no home folder")

    def name_or_path(self, value: Any, keys: Keys) -> str:
        text = self.text(value, keys)
        return str(self.path(text, keys)) if "/" in text or text.endswith(".toml") or not text else text

    def url(self, value: Any, keys: Keys) -> str:
        """A URL of HTTP with a host, without anything secret in it."""
        text, name = self.text(value, keys), keys[-1]
        try:
            parts = urlsplit(text)
            secret = parts.username is not None or any(
                _SECRET_NAME.search(key) for key, _ in parse_qsl(parts.query)
            )
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            self.file.wrong(keys, f"{name}: no usable URL", 'like "https://prometheus.example.org"')
        if secret:
            self.file.wrong(
                keys, f"{name}: a secret must not stand in a URL", f"take it out of the URL and {SECRET_HINT}"
            )
        if not usable or any(c.isspace() or not c.isprintable() for c in text) or parts.fragment:
            self.file.wrong(
                keys, f"{name}: not a URL that begins with http:// or https:// and names a host",
                'like "https://prometheus.example.org"',
            )  # fmt: skip
        return text

    def secret(self, value: Any, keys: Keys) -> Secret:
        where = f"{self.file.place(keys)}: [{'.'.join(keys[:-1])}] {keys[-1]}"
        secret = Secret.parse(self.text(value, keys), where=where)
        scheme, _, rest = secret.reference.partition(":")
        if scheme == "file":
            return Secret(f"file:{self.path(rest, keys)}")
        if scheme == "keyring" and not all(rest.partition("/")):
            self.file.wrong(keys, f"{keys[-1]}: a keyring's entry is keyring:SERVICE/USER")
        return secret

    def notes(self, value: Any, keys: Keys) -> dict[str, str]:
        table = self.table(value, keys)
        for name, note in table.items():
            if not self.text(note, (*keys, name)).strip():
                self.file.wrong((*keys, name), f"{name}: needs a note that says why")
            self.origins[(*keys, name)] = self.file.place((*keys, name))
        return table

    def settings(self, value: Any, keys: Keys) -> dict[str, Any]:
        """A table of free values; what a check makes of them is its own affair."""
        table = self.table(value, keys)
        for name, inner in table.items():
            self.plain(inner, (*keys, name), DEEPEST)
            self.origins[(*keys, name)] = self.file.place((*keys, name))
        return table

    def plain(self, value: Any, keys: Keys, levels: int) -> None:
        """Refuse what is nested too deeply, no finite number, or a secret by its key's name."""
        if not levels:
            self.file.wrong(keys, f"{keys[-1]}: nested more than {DEEPEST} levels deep")
        if isinstance(value, float) and not math.isfinite(value):
            self.expected("a finite number", value, keys)
        if isinstance(value, str) and _SECRET_NAME.search(keys[-1]):
            self.secret(value, keys)
        inside = value.items() if isinstance(value, dict) else [(keys[-1], v) for v in _listed(value)]
        for name, inner in inside:
            self.plain(inner, (*keys, name) if isinstance(value, dict) else keys, levels - 1)

    def expected(self, what: str, value: Any, keys: Keys) -> NoReturn:
        kind = _KINDS.get(type(value), type(value).__name__)
        self.file.wrong(keys, f"{keys[-1]}: expected {what}, found {kind}")


_CONVERTERS: dict[Any, Callable[[Reader, Any, Keys], Any]] = {
    str: Reader.text,
    bool: Reader.switch,
    Path: Reader.path,
    Secret: Reader.secret,
    Url: Reader.url,
    Seconds: Reader.seconds,
    Port: Reader.port,
    NameOrPath: Reader.name_or_path,
    Mapping[str, str]: Reader.notes,
    Mapping[str, Any]: Reader.settings,
}

_KINDS = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    dict: "a table",
    list: "a list",
}


def _required(entry: "Field[Any]") -> bool:
    return entry.default is MISSING and entry.default_factory is MISSING


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
