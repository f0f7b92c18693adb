#!/usr/bin/python3
"""Fills in the generated parts of docs/*.md from the program itself.

    generate.py BUILD [--check]

A part stands between `<!-- generated: WHAT -->` and `<!-- end -->`; WHAT is
`settings`, `operations` or `commands`.  With --check nothing is written and the exit code is
1 when a file is not up to date.
"""

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent


def generated(build, what):
    if what == "commands":
        command = [build / "vitrine", "help", "--markdown"]
    else:
        command = [build / "vitrine.fcgi", f"--print-reference={what}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip("\n")


def main():
    build = Path(sys.argv[1]).resolve()
    stale = []
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text()
        fresh = re.sub(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)",
                       lambda m: f"{m[1]}{generated(build, m[2])}\n{m[3]}", text, flags=re.S)
        if fresh != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(fresh)
    if stale and "--check" in sys.argv:
        print("not up to date, run `make docs`:", *stale)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
