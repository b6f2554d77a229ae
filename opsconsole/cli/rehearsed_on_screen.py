"""A rehearsal on the screen, and the line that stays in the terminal when it was left."""

from collections.abc import Callable
from dataclasses import dataclass, field

from opsconsole.cli.lines import tell
from opsconsole.cli.rehearsing import Performance
from opsconsole.cli.verification import INTERRUPTED
from opsconsole.redaction import redact
from opsconsole.rehearse.curve import Curve, curve
from opsconsole.rehearse.model import Candidate, Rehearsal, Verdict
from opsconsole.reports.rehearsal.wording import summary
from opsconsole.tui.rehearsal import RehearsalApp

FILES = "files"
"""What the screen names where no environment is asked."""


@dataclass
class _Work:
    """What the screen asks for; `done` is what it came to."""

    performance: Performance
    done: Rehearsal | None = None
    seen: list[Verdict] = field(default_factory=list)

    @property
    def tests_folder(self) -> str:
        return str(self.performance.wish.write_tests or "")

    async def rehearse(
        self,
        progress: Callable[[str], None],
        on_total: Callable[[int], None],
        on_verdict: Callable[[Verdict], None],
    ) -> Rehearsal:
        def found(verdict: Verdict) -> None:
            self.seen.append(verdict)
            on_verdict(verdict)

        self.done = await self.performance.rehearsal(lambda text: progress(redact(text)), found, on_total)
        return self.done

    async def curve(self, verdict: Verdict) -> Curve | None:
        witness, rule = verdict.witness, verdict.rule
        if witness is None or rule is None:
            return None
        promtool = await self.performance.promtool(lambda _: None)
        candidate = Candidate(rule=rule, incident=witness.incident, rests_on=witness.rests_on)
        return await curve(promtool, candidate, witness.fired)

    def exit_code(self, rehearsal: Rehearsal) -> int:
        return self.performance.exit_code(rehearsal)


def rehearsal(performance: Performance) -> int:
    """Rehearse on the screen until it is left, print the counts, and return the exit code."""
    work, planned = _Work(performance), performance.planned
    app = RehearsalApp(
        work,
        environment=planned.name if planned else FILES,
        protected=bool(planned and planned.protected),
    )
    left = app.run()
    code = INTERRUPTED if left is None else left
    for error in performance.files.wrong:
        tell(redact(f"left out: {error}"))
    for note in performance.files.notes:
        tell(redact(note))
    if work.done is not None:
        tell(redact(summary(work.done)))
    elif app.was_left:
        tell(f"left before the end, with {len(work.seen)} verdicts (exit {code})")
    return code
