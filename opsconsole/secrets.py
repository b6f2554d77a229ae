"""Secrets by reference: `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`, never the value itself.

A secret is resolved when it is first needed, and from that moment the one door out
(`opsconsole.redaction`) knows it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from opsconsole import redaction
from opsconsole.errors import ConfigError, EffectRefused

SCHEMES = ("env", "file", "keyring")
LIVE_KEYS = ("sk_live_", "rk_live_")


@dataclass(frozen=True, slots=True)
class Secret:
    """A reference to a secret; printing it shows the reference alone."""

    reference: str

    @classmethod
    def parse(cls, text: str, *, where: str) -> "Secret":
        """Check the reference's form; a value that stands in the configuration itself is refused."""
        scheme, _, rest = text.partition(":")
        if scheme not in SCHEMES or not rest:
            raise ConfigError(
                "a secret must not stand in the configuration itself",
                where=where,
                hint='name where it is kept: "env:NAME", "file:PATH" or "keyring:SERVICE/USER"',
            )
        return cls(text)

    def reveal(self) -> str:
        """The value. Raises ConfigError where the reference leads nowhere or to less than six characters, and
        EffectRefused for a live Stripe key: nothing that opsconsole does needs one."""
        scheme, _, rest = self.reference.partition(":")
        value = {"env": _from_env, "file": _from_file, "keyring": _from_keyring}[scheme](rest)
        if len(value) < redaction.SHORTEST_SECRET:
            raise ConfigError(
                f"the secret is shorter than {redaction.SHORTEST_SECRET} characters", where=self.reference
            )
        return self._known(value)

    def _known(self, value: str) -> str:
        redaction.learn(value, self.reference)
        if value.startswith(LIVE_KEYS):
            raise EffectRefused(
                "is a live Stripe key, and a live key is refused, always",
                where=self.reference,
                hint="use a test key (sk_test_…, rk_test_…)",
            )
        return value


@dataclass(frozen=True, slots=True)
class MadeUp(Secret):
    """A secret that the lab made up for itself; named and redacted like any other."""

    value: str = ""

    def reveal(self) -> str:
        return self._known(self.value)

    def __repr__(self) -> str:
        return f"MadeUp({self.reference!r})"


def _from_env(name: str) -> str:
    if value := os.environ.get(name, "").strip():
        return value
    raise ConfigError("the variable is not set", where=f"env:{name}", hint=f"export {name}=…")


def _from_file(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file cannot be read: {error}", where=f"file:{path}") from error


def _from_keyring(rest: str) -> str:
    import keyring
    import keyring.errors

    service, _, user = rest.partition("/")
    try:
        value = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise ConfigError(f"the keyring cannot be read: {error}", where=f"keyring:{rest}") from error
    if value:
        return str(value)
    raise ConfigError(
        "the keyring has no such entry", where=f"keyring:{rest}", hint=f"keyring set {service} {user}"
    )
