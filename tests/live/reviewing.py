"""Reviews on a real PostgreSQL server: the flow test of SQLite, step by step, says the same."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import PLUMB, ROOT, check, test
from worlds import Postgres


@test(cases=["review_life_cycle", "events_review_author", "review_author_late"])
def reviews_on_postgresql(lab, name):
    """From new to verified close: approvals, refusals, a second change, expiry, a secret; the author whom an event names."""
    flow = ROOT / "tests/flow" / name
    log = 'echo "== the log"\n'  # behind it the flow test opens the SQLite file itself
    steps, want = (flow / "cmd").read_text().split(log)[0], (flow / "want.out").read_text().split("== the log\n")[0]
    server = Postgres()
    try:
        with tempfile.TemporaryDirectory(prefix="plumb-review-") as folder:
            box = Path(folder) / "in"
            shutil.copytree(flow / "in", box)
            (box / "bin").mkdir()
            (box / "bin/plumb").symlink_to(PLUMB)
            env = {"PATH": f"{box}/bin:{os.environ['PATH']}", "HOME": folder, "LC_ALL": "C", "TZ": "UTC",
                   "PLUMB_STORE": f"postgres:///postgres?host={server.dir}&user=postgres&sslmode=disable",
                   "PLUMB_KEY": "a key of thirty-two bytes for tests", "PLUMB_AUDIT_KEY": f"file:{folder}/audit.key"}
            done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", steps], cwd=box, env=env,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
            check(done.returncode == 0, done.stderr[-2000:])
            check(done.stdout == want, "PostgreSQL says otherwise:", done.stdout)
    finally:
        server.stop()
