"""How well the default policy finds persons: japan_people, FEBRL 1 and 2, and invented worlds with seeds of their own.

Run by hand: `.venv/bin/python bench/identity_quality.py [--seed 100] [--record]`. The first two need the shared folder.
Each set goes the one path of `kizuna identity evaluate`; no set has rules of its own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import people
from results import record

from kizuna.identity import evaluating
from kizuna.local import evaluation

SHARED = Path(os.environ.get("KIZUNA_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
SETS = {
    "japan_people": SHARED / "japan_people" / "jp_20k.parquet",
    "febrl 1": SHARED / "febrl" / "dataset1.csv.gz",
    "febrl 2": SHARED / "febrl" / "dataset2.csv.gz",
}
# Of japan_people: precision at least, F1 at least, household false merges at most.
MUST, GOAL = (0.990, 0.874, 0.0045), (0.995, 0.90, 0.001)


def files(seed: int, folder: Path) -> dict[str, Path]:
    """The sets there are; the worlds are written into `folder`."""
    found = {name: file for name, file in SETS.items() if file.exists()}
    for world in people.WORLDS:
        found[f"world {world.name}"] = folder / f"{world.name}.parquet"
        people.generate(replace(world, seed=world.seed + seed)).to_parquet(found[f"world {world.name}"])
    return found


def line(name: str, found: evaluation.Evaluation) -> str:
    """Say the figures of one set, and of japan_people whether they are what they must be."""
    figures = found.figures
    merges = figures.household_false_merges
    text = (
        f"identity of {name}, {figures.records:,} records: P {figures.precision:.4f}, R {figures.recall:.4f}, "
        f"F1 {figures.f1:.4f}, B-cubed F1 {figures.b_cubed_f1:.4f}, largest {figures.largest_customer}, "
        f"household false merges {'not known' if merges is None else format(merges, '.3%')}, {found.seconds:.0f} s"
    )
    return text if name != "japan_people" else f"{text}; must {met(figures, MUST)}, goal {met(figures, GOAL)}"


def met(figures: evaluating.Figures, demanded: tuple[float, float, float]) -> str:
    """Whether precision, F1 and household false merges are as demanded."""
    merges = figures.household_false_merges or 0.0
    is_met = figures.precision >= demanded[0] and figures.f1 >= demanded[1] and merges <= demanded[2]
    return "met" if is_met else "not met"


def main() -> None:
    """Evaluate every set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--record", action="store_true", help="append the result to bench/results.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kizuna-people-") as folder:
        for name, file in files(arguments.seed, Path(folder)).items():
            said = line(name, evaluation.evaluate(evaluating.read_truth(file)))
            print(said, flush=True)
            if arguments.record:
                record(said)


if __name__ == "__main__":
    main()
