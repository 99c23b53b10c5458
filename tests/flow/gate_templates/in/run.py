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


if what == "terragrunt":  # get_terraform_cli_args() are the words after FILE and WHAT
    script = re.search(r"<<-EOT\n(.*?)\n\s*EOT\n\s*, \"plumb-gate\"\], try\(get_terraform_cli_args\(\), \[\]\)\)", text, re.S)[1]
    env = {**os.environ, "TG_CTX_TF_PATH": "tofu", "TG_CTX_COMMAND": sys.argv[3], "TG_CTX_HOOK_NAME": "plumb_gate"}
    sys.exit(subprocess.run(["sh", "-c", script, "plumb-gate", *sys.argv[3:]], env=env, check=False).returncode)
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
    env = {}
    for step in steps:
        if isinstance(step, dict) and "env" in step:
            done = subprocess.run(["sh", "-c", step["env"]["command"]], env={**os.environ, **env}, check=True, stdout=subprocess.PIPE, text=True)
            env[step["env"]["name"]] = done.stdout.strip()
            print("env", env)
        elif isinstance(step, dict):
            done = subprocess.run(["sh", "-c", step["run"]], env={**os.environ, **env}, check=False)
            if done.returncode:
                sys.exit(done.returncode)
        else:
            print("step", step)
        sys.stdout.flush()
if what.startswith("hook "):
    hook = next(row for row in template if row["id"] == what[5:])
    run(hook["entry"] + " " + " ".join(sys.argv[3:]))
