"""Results as text: a title, a head, rows, a note."""

from __future__ import annotations


class Table:
    """Rows of text under one head.

    Args:
        title: What was measured.
        head: Names of the columns.
        notes: How to read it.
    """

    def __init__(self, title: str, head: tuple[str, ...], *, notes: str = "") -> None:
        self.title = title
        self.head = head
        self.notes = notes
        self.rows: list[tuple[str, ...]] = []

    def add(self, *cells: str) -> None:
        """One more row; as many cells as the head has."""
        if len(cells) != len(self.head):
            raise ValueError(f"{len(cells)} cells under a head of {len(self.head)}")
        self.rows.append(cells)

    def markdown(self) -> str:
        """The table for RESULTS.md and for the terminal."""
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        lines = [self._line(self.head, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
        lines += [self._line(row, widths) for row in self.rows]
        note = f"\n\n{self.notes}" if self.notes else ""
        return f"## {self.title}\n\n" + "\n".join(lines) + note + "\n"

    @staticmethod
    def _line(cells: tuple[str, ...], widths: list[int]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
