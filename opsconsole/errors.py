"""What can go wrong, and the exit code that each branch means.

    OpsconsoleError
    ├── UsageError            2  the call or the configuration is wrong: correct it and call again
    │   ├── ConfigError          opsconsole.toml, a secret's reference, an environment's name
    │   ├── ChecklistError       a checklist, a check's signature, a parameter
    │   ├── MissingServer        no Prometheus or Alertmanager program to be had for the lab
    │   ├── LabError             the lab could not be started, or is not running
    │   ├── RecordsError         the records cannot be opened, read or written
    │   └── EffectRefused        an effect that is not allowed here (protected, live key)
    └── Unseen                3  a server could not be seen, so nothing is known of it
        ├── Unreachable          no connection: refused, no such host, TLS not trusted
        ├── TimedOut             no answer, or not all of it, in the time allowed
        ├── Refused              it answered, and will not tell us: 401, 403, a redirect
        └── Nonsense             it answered something that is not the answer: HTML, cut JSON, wrong types

Exit code 1 is no error: it says that the run found something. See `opsconsole.model.exit_code`.
"""


class OpsconsoleError(Exception):
    """What happened, where, and what to do next; shown to the user as it is, never as a traceback."""

    exit_code = 2

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class UsageError(OpsconsoleError):
    """The call is wrong."""


class ConfigError(UsageError):
    """The configuration is wrong."""


class ChecklistError(UsageError):
    """A checklist or a check is wrong."""


class MissingServer(UsageError):
    """No program to be had for a server that the lab needs."""


class LabError(UsageError):
    """The lab could not be started, or is not running."""


class RecordsError(UsageError):
    """The records cannot be opened, read or written."""


class EffectRefused(UsageError):
    """This effect is not allowed here."""


class Unseen(OpsconsoleError):
    """A server could not be seen. Inside a check this becomes the outcome UNKNOWN."""

    exit_code = 3


class Unreachable(Unseen):
    """No connection."""


class TimedOut(Unseen):
    """No answer in the time allowed."""


class Refused(Unseen):
    """It answered, and will not tell us."""


class Nonsense(Unseen):
    """It answered something that is not the answer."""
