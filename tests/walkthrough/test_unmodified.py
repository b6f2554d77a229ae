"""The rules as they are, on a private Prometheus whose history holds an incident for each."""

from pathlib import Path

from opsconsole import session
from opsconsole.engine.record import Recorder
from opsconsole.lab import incidents, stack
from opsconsole.lab.environment import environment, reference_rules
from opsconsole.lab.servers import Pair
from opsconsole.model import Hop, Outcome
from opsconsole.runview import RunView
from opsconsole.store import new_run_id, open_records
from opsconsole.walkthrough.session import open_drill
from tests.checks.conftest import changed


async def test_all_seven_alerts_reach_people_by_the_rules_as_they_are(pair: Pair, tmp_path: Path) -> None:
    records = open_records(tmp_path / "records.db")
    recorder = Recorder(new_run_id(), records)
    said = {alert: incident.said for alert, incident in incidents.INCIDENTS.items()}
    async with stack.running(pair.prometheus, pair.alertmanager, incident=True) as lab:
        assert lab.rules_path.read_text() == reference_rules().read_text()
        here = changed(environment(lab), request_timeout_seconds=30.0)
        checklist = session.plan(here).checklist
        async with open_drill(here, checklist, records, recorder, incidents=said) as opened:
            await opened.verification.prepare()
            await opened.verification.run()
    view = RunView.of(records.entries(recorder.run))
    records.close()
    assert {item.text for item in view.items.values() if item.outcome is not Outcome.PASS} == set()
    assert set(view.items) == set(incidents.INCIDENTS)
    assert all(
        {Hop.FIRING, Hop.ALERTMANAGER, Hop.DELIVERED} <= set(item.hops) for item in view.items.values()
    )
