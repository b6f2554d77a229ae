"""`make faults`: each fault in a healthy lab, and who finds it. With names: only these faults, with all that
was said."""

import sys
import tempfile
from pathlib import Path

from opsconsole.lab import faults
from tests.bench.faults.bench import bench, bring_about
from tests.bench.faults.judge import judge


def main() -> int:
    chosen = [faults.named(name) for name in sys.argv[1:]] or list(faults.load().values())
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, bench(Path(folder) / "bench") as made:
        for fault in chosen:
            bring_about(made, fault)
            run = made.test_alert(fault.alert) if fault.alert else made.verify()
            verdict = judge(fault, run)
            print(
                fault.name, "OK" if not verdict.wrong else "WRONG", f"{verdict.seconds:.1f} s", verdict.failed
            )
            for line in verdict.wrong:
                print("   ", line)
            wrong += bool(verdict.wrong)
    return 1 if wrong else 0


sys.exit(main())
