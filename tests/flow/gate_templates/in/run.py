"""run.py FILE WHAT: runs what a template has for a job to run, as its platform would."""
import os
import re
import subprocess
import sys

import yaml

ROOT = os.environ["PLUMB_ROOT"]
path, what = sys.argv[1:3]
with open(os.path.join(ROOT, path), encoding="utf-8") as file:
    text = file.read()


def run(script, **env):
    sys.exit(subprocess.run(["bash", "-eo", "pipefail", "-c", script], env={**os.environ, **env}, check=False).returncode)


if what == "terragrunt":
    words = re.search(r"execute\s*=\s*\[(.*)\]", text)[1]
    sys.exit(subprocess.run(re.findall(r'"([^"]*)"', words), check=False).returncode)
template = yaml.safe_load(text)
if what == "github":
    given = dict(word.split("=", 1) for word in sys.argv[3:])
    inputs = {name: given.get(name, str(row.get("default", ""))) for name, row in template["inputs"].items()}
    missing = [name for name, row in template["inputs"].items() if row.get("required") and not inputs[name]]
    assert not missing, missing
    (step,) = template["runs"]["steps"]
    env = {name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda m: inputs[m[1]], value) for name, value in step["env"].items()}
    env["GITHUB_TOKEN"] = "" if "github.token" in env["GITHUB_TOKEN"] else env["GITHUB_TOKEN"]
    run(step["run"], GITHUB_ACTION_PATH=os.path.dirname(os.path.join(ROOT, path)), **env)
if what == "gitlab":
    job = template[".plumb-gate"]
    reports = [*job["artifacts"]["reports"].values(), *job["artifacts"]["paths"]]
    print("reports", sorted(reports), flush=True)
    run("\n".join(job["script"]), **{**job["variables"], **dict(word.split("=", 1) for word in sys.argv[3:])})
if what.startswith("atlantis"):
    steps = template["workflows"]["plumb"][what.split("-")[1]]["steps"]
    run("\n".join(step["run"] for step in steps if isinstance(step, dict) and "run" in step))
if what.startswith("hook "):
    hook = next(row for row in template if row["id"] == what[5:])
    run(hook["entry"] + " " + " ".join(sys.argv[3:]))
