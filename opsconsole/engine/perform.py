"""Perform one check: give it its clients and settings, and turn what it does into an outcome."""

import asyncio
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opsconsole.checkkit import SignOff, Skip, performing
from opsconsole.engine.checklist import Use
from opsconsole.errors import OpsconsoleError, RecordsError, Unseen
from opsconsole.model import Event, Exchange, Exchanged, Finding, Found, Observed, Outcome, Seen, Waiting


@dataclass(frozen=True)
class Result:
    """The outcome of one check; `summary` is one line, `question` is set at SIGN-OFF."""

    outcome: Outcome
    summary: str
    question: str = ""


@dataclass
class Perform:
    """One check at work for one item.

    `show` takes its events; `timeout_seconds` bounds it, not counting what it waits for by `until`,
    which brings its own bound. `evidence` counts exchanges and sightings: a check that finds nothing
    wrong and has seen nothing either has not passed.
    """

    item: str
    use: Use
    clients: Mapping[str, object | None]
    environment: str
    timeout_seconds: float
    show: Callable[[Event], None]
    evidence: int = 0
    findings: list[Finding] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    doubt: str = ""
    _deadline: asyncio.Timeout | None = None
    _waiting_for: str = ""

    def waits(self, what: str, within_seconds: float) -> None:
        """See `opsconsole.checkkit.Performance`."""
        self._waiting_for = what
        if self._deadline is not None:
            now = asyncio.get_running_loop().time()
            self._deadline.reschedule(now + within_seconds + self.timeout_seconds)
        self.show(Waiting(item=self.item, what=what, within_seconds=within_seconds))

    def exchanged(self, exchange: Exchange) -> None:
        """See `opsconsole.checkkit.Performance`."""
        self.evidence += 1
        self.show(Exchanged(item=self.item, exchange=exchange))

    def doubts(self, why: str) -> None:
        """See `opsconsole.checkkit.Performance`."""
        self.doubt = self.doubt or why

    async def result(self) -> Result:
        """Perform the check. Never raises, except when it is cancelled or the records cannot be written."""
        if missing := [name for name in self.use.check.needs if self.clients.get(name) is None]:
            return self._without(missing)
        token = performing.set(self)
        try:
            async with asyncio.timeout(self.timeout_seconds) as self._deadline:
                await self._consume()
        except Skip as skip:
            return Result(Outcome.SKIP, str(skip))
        except SignOff as sign_off:
            undecided = self.findings or self.doubt
            return self._judged() if undecided else Result(Outcome.SIGN_OFF, self._sight(), str(sign_off))
        except Unseen as unseen:
            return self._unless_found(Result(Outcome.UNKNOWN, _one_line(unseen)))
        except TimeoutError:
            waiting = f", waiting for {self._waiting_for}" if self._waiting_for else ""
            return self._unless_found(
                Result(Outcome.UNKNOWN, f"not finished after {self.timeout_seconds:g} s{waiting}")
            )
        except RecordsError:
            raise
        except OpsconsoleError as error:
            return self._unless_found(Result(Outcome.UNKNOWN, _one_line(error)))
        except Exception as error:
            return Result(Outcome.BROKEN, _defect(error, self.use.check.path))
        finally:
            performing.reset(token)
        return self._judged()

    async def _consume(self) -> None:
        check = self.use.check
        arguments = {name: self.clients.get(name) for name in (*check.needs, *check.may_use)}
        async for said in check.run(**arguments, **self.use.settings):
            if isinstance(said, Finding):
                self.findings.append(said)
                self.show(Found(item=self.item, finding=said))
            elif isinstance(said, Seen):
                self.evidence += 1
                self.seen.append(said)
                self.show(Observed(item=self.item, seen=said))
            else:
                raise TypeError(f"yielded {type(said).__name__}, neither Finding nor Seen")

    def _judged(self) -> Result:
        if self.findings:
            first, *more = self.findings
            subject = f"{first.subject}: " if first.subject else ""
            return Result(
                Outcome.FAIL, f"{subject}{first.summary}{f' (and {len(more)} more)' if more else ''}"
            )
        if self.doubt:
            return Result(Outcome.UNKNOWN, self.doubt)
        if not self.evidence:
            return Result(Outcome.UNKNOWN, "found nothing wrong, but saw nothing either")
        return Result(Outcome.PASS, self._sight())

    def _sight(self) -> str:
        general = [seen.text for seen in self.seen if not seen.subject]
        if general:
            return "; ".join(general)
        return (
            f"{len(self.seen)} seen: {', '.join(s.subject for s in self.seen)}"
            if self.seen
            else "nothing wrong"
        )

    def _unless_found(self, result: Result) -> Result:
        """What was found stays found, even where the rest could not be seen."""
        return self._judged() if self.findings else result

    def _without(self, missing: list[str]) -> Result:
        if missing == ["effects"]:
            return Result(
                Outcome.SKIP,
                f"changes something, and {self.environment} is protected: --allow-effects {self.environment}",
            )
        names = " and ".join(name for name in missing if name != "effects")
        return Result(Outcome.UNKNOWN, f"the environment {self.environment} names no {names}")


def _one_line(error: OpsconsoleError) -> str:
    text = f"{error.where}: {error.message}" if error.where else error.message
    return f"{text}; {error.hint}" if error.hint else text


def _defect(error: Exception, path: Path) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    place = f"{path.name}:{frames[-1].lineno}" if frames else path.name
    return f"a defect of the check, {place}: {type(error).__name__}: {error}"
