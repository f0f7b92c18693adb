#!/usr/bin/python3
"""Which lines and functions the fuzzers' inputs reach; `make fuzz-coverage`.

    coverage.py FOLDER --inputs=CORPUS

FOLDER has the programs fuzz_*, built with clang's source coverage.  Each is run over its seeds and over
CORPUS/TARGET.  Of every source file that one of them enters: the share of its lines, and the
functions that none has reached.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
SEEDS = TOP / "tests" / "fuzz" / "corpus"


def run_over_inputs(program, folder, inputs):
    name = program.name.removeprefix("fuzz_")
    corpora = [corpus for corpus in (SEEDS / name, inputs / name) if corpus.is_dir()]
    profile = folder / f"{name}.profraw"
    subprocess.run([program, "-runs=0", "-timeout=10", *corpora], check=False, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env={**os.environ, "LLVM_PROFILE_FILE": str(profile)})
    return profile


def exported(programs, profile):
    objects = [word for program in programs[1:] for word in ("-object", program)]
    output = subprocess.run(["llvm-cov", "export", programs[0], *objects, f"-instr-profile={profile}"],
                            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return json.loads(output)["data"][0]


def source_of(path):
    path = Path(path)
    path = path if path.is_absolute() else TOP / path
    return str(path.relative_to(TOP)) if path.is_relative_to(TOP) else None


def missed_functions(functions):
    """By source file: static ones are named file:function."""
    reached = {}
    for function in functions:
        name = (source_of(function["filenames"][0]), function["name"].rpartition(":")[2])
        reached[name] = reached.get(name, 0) + function["count"]
    missed = {}
    for (source, name), count in sorted(reached.items(), key=str):
        if count == 0:
            missed.setdefault(source, []).append(name)
    return missed


def print_report(data):
    missed = missed_functions(data["functions"])
    for file in sorted(data["files"], key=lambda file: file["filename"]):
        source = source_of(file["filename"])
        lines = file["summary"]["lines"]
        if source is None or source.startswith("tests/") or not source.endswith(".c") or lines["covered"] == 0:
            continue
        print(f"{source:32} {lines['covered']:5} of {lines['count']:5} lines {lines['percent']:5.1f} %  "
              f"{' '.join(missed.get(source, []))}")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--inputs", type=Path, required=True)
    chosen = options.parse_args()
    programs = [program for program in sorted(chosen.folder.glob("fuzz_*")) if not program.suffix]
    profiles = [run_over_inputs(program, chosen.folder, chosen.inputs) for program in programs]
    merged = chosen.folder / "all.profdata"
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", merged, *filter(Path.exists, profiles)], check=True)
    print_report(exported(programs, merged))
    return 0


if __name__ == "__main__":
    sys.exit(main())
