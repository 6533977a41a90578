"""Where numbers come from: shown on every page, and written to every file that is downloaded."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from prunepriv.ui.readings import KeptResult


@dataclass(frozen=True, slots=True)
class Provenance:
    """What produced the numbers of a chart.

    Attributes:
        run: id of the run.
        seed: the seed of everything random in it.
        keys: keys of the artifacts that were read, each the SHA-256 of everything that it depends on.
        command: the command line that makes the same figures again.
    """

    run: str
    seed: int
    keys: tuple[str, ...]
    command: str

    def stamp(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with columns that show where each row comes from."""
        return table.assign(
            run=self.run, seed=self.seed, key=" ".join(self.keys), command=self.command
        )

    def csv(self, table: pd.DataFrame) -> bytes:
        """The stamped table as UTF-8 CSV."""
        return self.stamp(table).to_csv(index=False).encode()

    @property
    def line(self) -> str:
        """One line below a chart."""
        return f"Run `{self.run}` · seed {self.seed} · artifact " + ", ".join(
            f"`{key[:12]}`" for key in self.keys
        )


def provenance_of(result: KeptResult, steps: tuple[str, ...]) -> Provenance:
    """Provenance of numbers that were read from these steps' artifacts."""
    return Provenance(
        run=result.run_id,
        seed=result.experiment.seed,
        keys=tuple(map(result.plan.key, steps)),
        command=result.command,
    )
